import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { type HostileResponse, RESPONSES, WEB_SOCKET_KEY } from "../corpus/responses.ts";
import { RelayBed } from "./bed.ts";
import { bytewise, type Cut, cutOnce, whole } from "./pieces.ts";
import { readResponses } from "./plain-responses.ts";
import { askedTwice, type First, type Second } from "./reply.ts";
import { isRefusal } from "./request-verdict.ts";
import { verdictOnReply } from "./response-verdict.ts";

/** Every hostile response of the corpus through the whole HTTP path, and a second request behind the one that it answers. */
const bed = await RelayBed.open({ after });

const HANDSHAKE = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${WEB_SOCKET_KEY}\r\n`;

function firstOf({ to, webSocket }: HostileResponse): First {
  return { method: to ?? "GET", fields: webSocket ? HANDSHAKE : "" };
}

/** Which of them are answers when they come in one piece. */
const answersWhole = new Map<string, boolean>();

async function violationsOf(hostile: HostileResponse, cut: Cut, second: Second): Promise<string[]> {
  const first = firstOf(hostile);
  // What only the connection's end completes, or breaks off, would be waited for without end.
  const { rest } = readResponses(hostile.bytes, [first.method], false, "as_sent");
  const saying = { pieces: cut.pieces, ends: hostile.ends ?? rest === "unfinished" };
  const reply = await askedTwice(bed, first, saying, second);
  const { answer, violations } = await verdictOnReply(reply);
  const found = [...violations];
  const isAnswer = answer !== undefined && !isRefusal(answer);
  if (!hostile.legal && isAnswer) found.push(`passed on: ${hostile.why}`);
  if (isAnswer !== (answersWhole.get(hostile.name) ?? isAnswer))
    found.push(isAnswer ? "no answer in one piece" : "an answer in one piece");
  answersWhole.set(hostile.name, isAnswer);
  const { heard, said } = reply;
  return found.map(
    (violation) => `${hostile.name}, ${cut.name}, the second ${second}: ${violation}
    said ${JSON.stringify(said.slice(0, 400))}
    heard ${heard.how} ${JSON.stringify(heard.text.slice(0, 400))}`,
  );
}

async function none(cutsOf: (text: string) => readonly Cut[], second: Second): Promise<void> {
  const violations: string[] = [];
  for (const hostile of RESPONSES)
    for (const cut of cutsOf(hostile.bytes))
      violations.push(...(await violationsOf(hostile, cut, second)));
  assert.equal(violations.length, 0, `${violations.length}:\n${violations.join("\n")}`);
}

describe("a hostile response is refused or read in one way, and answers no other request", () => {
  for (const second of ["pipelined", "afterwards", "by another app"] as const) {
    test(`in one piece, the second request ${second}`, () => none((text) => [whole(text)], second));
    test(`byte by byte, the second request ${second}`, () =>
      none((text) => [bytewise(text)], second));
  }
  test("cut once, wherever a reader may stop to think", () =>
    none((text) => cutOnce(text, 8), "pipelined"));
  test("some of them are answers", () => {
    const answers = [...answersWhole.values()].filter((isAnswer) => isAnswer);
    assert.ok(answers.length > 20, `${answers.length} of ${answersWhole.size}`);
  });
});
