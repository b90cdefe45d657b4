import type { Socket } from "node:net";
import { turn } from "./app.ts";
import type { RelayBed } from "./bed.ts";
import { answerMarked } from "./origin.ts";
import { readResponses } from "./plain-responses.ts";
import type { Reply } from "./response-verdict.ts";

/** What an origin says to a request, in pieces; and whether it then ends the connection. */
export interface Saying {
  readonly pieces: readonly string[];
  readonly ends: boolean;
}

/** What is asked first: its method, and fields as lines, each with its end. */
export interface First {
  readonly method: string;
  readonly fields?: string;
}

/** How a second request is made: together with the first, after its answer, or by another app. */
export type Second = "pipelined" | "afterwards" | "by another app";

let count = 0;

/**
 * Asks twice, of which the first is answered so: what has been heard. Where another app asks, it does so when the first
 * has gone, over the same connection to the origin if that has been kept, and `other` is what it has heard.
 */
export async function askedTwice(
  bed: RelayBed,
  { method, fields = "" }: First,
  { pieces, ends }: Saying,
  second: Second,
): Promise<Reply & { readonly other?: string }> {
  count += 1;
  const first = `${method} /first-${count} HTTP/1.1\r\nHost: a.example\r\n${fields}\r\n`;
  const marker = `GET /marker-${count} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`;
  const said = pieces.join("");
  const target = `/first-${count}`;
  bed.origin.answering = (request, socket, visit) => {
    if (request.target === target) void play(socket, pieces, ends);
    else answerMarked(request, socket, visit);
  };
  const app = await bed.connect();
  await app.say(second === "pipelined" ? first + marker : first);
  if (second !== "pipelined") await app.hears((text) => isAnswered(text, method));
  if (second === "afterwards") await app.say(marker);
  if (second === "by another app") app.socket.end();
  const heard = await app.ended();
  app.close();
  const reply = { method, said, hasEnded: ends, heard, mark: `GET /marker-${count} with 0 bytes` };
  if (second !== "by another app") return reply;
  const other = await bed.connect();
  await other.say(marker);
  return { ...reply, other: (await other.ended()).text };
}

async function play(socket: Socket, pieces: readonly string[], ends: boolean): Promise<void> {
  for (const piece of pieces) {
    if (!socket.writable) return;
    socket.write(piece, "latin1");
    await turn();
  }
  if (ends) socket.end();
}

function isAnswered(text: string, method: string): boolean {
  return readResponses(text, [method], false, "as_forwarded").messages.length > 0;
}
