/**
 * Many requests by Node's http agent, a few at a time over kept connections: HOST COUNT AT-ONCE. Says how many ended in
 * which way: a status, or the code of an error.
 */
import { Agent, get } from "node:http";

const [host = "", count, atOnce] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: Number(atOnce) });
const ways: Record<string, number> = {};
let asked = 0;

const ask = (): Promise<string> =>
  new Promise((resolve) => {
    asked += 1;
    get(`http://${host}/${asked}`, { agent }, (response) => {
      response.resume();
      response.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      response.on("end", () => resolve(String(response.statusCode)));
    }).on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });

await Promise.all(
  Array.from({ length: Number(atOnce) }, async () => {
    while (asked < Number(count)) {
      const way = await ask();
      ways[way] = (ways[way] ?? 0) + 1;
    }
  }),
);
agent.destroy();
console.log(JSON.stringify(ways));
