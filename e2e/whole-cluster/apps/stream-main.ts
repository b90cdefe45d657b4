/**
 * URL GAP_MS: sends one GET after the other to URL/NUMBER, in turn on a kept connection and on
 * one of its own, and tells on port 8081 what became of each.
 */
import { Agent, createServer, get } from "node:http";

export interface Sent {
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly sentMs: number;
  readonly endedMs: number;
  /** Absent: it was answered with 200. */
  readonly problem?: string;
}

const [url = "", gapMs = "20"] = process.argv.slice(1);
const kept = new Agent({ keepAlive: true, maxSockets: 1 });
const all: Sent[] = [];

function send(number: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const agent = number % 2 === 0 ? kept : false;
    const request = get(`${url}/${number}`, { agent, timeout: 5_000 }, (response) => {
      response.resume().once("end", () => {
        resolve(response.statusCode === 200 ? undefined : `status ${response.statusCode}`);
      });
      response.once("error", (error) => resolve(error.message));
    });
    request.once("timeout", () => request.destroy(new Error("no answer within 5 s")));
    request.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

createServer((_, response) => response.end(JSON.stringify(all))).listen(8081);
for (let number = 0; ; number++) {
  const sentMs = Date.now();
  const problem = await send(number);
  all.push({ number, sentMs, endedMs: Date.now(), ...(problem !== undefined && { problem }) });
  await new Promise((resolve) => setTimeout(resolve, Number(gapMs)));
}
