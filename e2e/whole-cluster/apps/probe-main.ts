/**
 * GAP_MS URL…: asks each URL again and again, on a connection of its own each time, and tells on port 8081 when what came back
 * became something else.
 */
import { createServer, get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export interface Change {
  readonly url: string;
  /** The status, or the error's code. */
  readonly outcome: string;
  /** When the first answer of that kind was there; milliseconds since the epoch. */
  readonly atMs: number;
}

const [gapMs = "5", ...urls] = process.argv.slice(1);
const changes: Change[] = [];

function ask(url: string): Promise<string> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: 5_000 }, (response) => {
      resolve(String(response.statusCode));
      response.destroy();
    });
    request.once("timeout", () => request.destroy(new Error("no answer within 5 s")));
    request.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

async function probe(url: string): Promise<void> {
  for (let last: string | undefined; ; await sleep(Number(gapMs))) {
    const outcome = await ask(url);
    if (outcome !== last) changes.push({ url, outcome, atMs: Date.now() });
    last = outcome;
  }
}

createServer((_, response) => response.end(JSON.stringify(changes))).listen(8081);
await Promise.all(urls.map(probe));
