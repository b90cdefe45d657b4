import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { after, describe, test } from "node:test";
import { type HostileResponse, RESPONSES, WEB_SOCKET_KEY } from "../corpus/responses.ts";
import { turn } from "./app.ts";
import { RelayBed } from "./bed.ts";
import { answerMarked } from "./origin.ts";
import { bytewise, type Cut, cutOnce, whole } from "./pieces.ts";
import { valuesOf } from "./plain-fields.ts";
import { readResponses } from "./plain-responses.ts";
import { isRefusal } from "./request-verdict.ts";
import { verdictOnReply } from "./response-verdict.ts";

/** Every hostile response of the corpus through the whole HTTP path, and a second request behind the one that it answers. */
const bed = await RelayBed.open({ after });

/** How the second request is made: together with the first, after its answer, or by another app. */
type Second = "pipelined" | "afterwards" | "of another app";

let count = 0;

async function violationsOf(hostile: HostileResponse, cut: Cut, second: Second): Promise<string[]> {
  count += 1;
  const first = `/first-${count}`;
  const marker = `/marker-${count}`;
  const method = hostile.to ?? "GET";
  const said = hostile.bytes;
  // What only the connection's end completes, or breaks off, would be waited for without end.
  const hasEnded =
    hostile.ends ?? readResponses(said, [method], false, "as_sent").rest === "unfinished";
  bed.origin.answering = (request, socket, visit) => {
    if (request.target === first) void play(socket, cut.pieces, hasEnded);
    else answerMarked(request, socket, visit);
  };
  const app = await bed.connect();
  const asked = requestOf(hostile, first);
  await app.say(second === "pipelined" ? asked + get(marker) : asked);
  if (second !== "pipelined") await app.hears((text) => isAnswered(text, method));
  if (second === "afterwards") await app.say(get(marker));
  if (second === "of another app") app.socket.end();
  const heard = await app.ended();
  app.close();
  const verdict = await verdictOnReply({
    ...{ method, said, hasEnded, heard, mark: mark(marker) },
  });
  const violations = [...verdict.violations];
  if (!hostile.legal && verdict.answer && !isRefusal(verdict.answer))
    violations.push(`passed on: ${hostile.why}`);
  if (second === "of another app") violations.push(...(await askedByAnother(marker)));
  return violations.map(
    (violation) => `${hostile.name}, ${cut.name}, second ${second}: ${violation}
    said ${JSON.stringify(said.slice(0, 400))}
    heard ${heard.how} ${JSON.stringify(heard.text.slice(0, 400))}`,
  );
}

async function play(socket: Socket, pieces: readonly string[], ends: boolean): Promise<void> {
  for (const piece of pieces) {
    if (!socket.writable) return;
    socket.write(piece, "latin1");
    await turn();
  }
  if (ends) socket.end();
}

/** Over the same connection to the origin, where it has been kept. */
async function askedByAnother(marker: string): Promise<string[]> {
  const other = await bed.connect();
  await other.say(get(marker));
  const { text } = await other.ended();
  const { messages, rest } = readResponses(text, ["GET"], false, "as_forwarded");
  const [answer] = messages;
  return rest === "nothing" && answer && valuesOf(answer.fields, "x-saw")[0] === mark(marker)
    ? []
    : [`another app is answered ${JSON.stringify(text)}`];
}

function isAnswered(text: string, method: string): boolean {
  return readResponses(text, [method], false, "as_forwarded").messages.length > 0;
}

const get = (target: string) =>
  `GET ${target} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`;
const mark = (target: string) => `GET ${target} with 0 bytes`;

function requestOf({ to, webSocket }: HostileResponse, target: string): string {
  const handshake = webSocket
    ? `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${WEB_SOCKET_KEY}\r\n`
    : "";
  return `${to ?? "GET"} ${target} HTTP/1.1\r\nHost: a.example\r\n${handshake}\r\n`;
}

async function none(cutsOf: (text: string) => readonly Cut[], second: Second): Promise<void> {
  const violations: string[] = [];
  for (const hostile of RESPONSES)
    for (const cut of cutsOf(hostile.bytes))
      violations.push(...(await violationsOf(hostile, cut, second)));
  assert.equal(violations.length, 0, `${violations.length}:\n${violations.join("\n")}`);
}

describe("a hostile response is refused or read in one way, and answers no other request", () => {
  for (const second of ["pipelined", "afterwards", "of another app"] as const) {
    test(`in one piece, the second request ${second}`, () => none((text) => [whole(text)], second));
    test(`byte by byte, the second request ${second}`, () =>
      none((text) => [bytewise(text)], second));
  }
  test("cut once, wherever a reader may stop to think", () =>
    none((text) => cutOnce(text, 8), "pipelined"));
});
