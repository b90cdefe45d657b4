/**
 * dns-server.ts as a process inside a namespace: `ADDRESS PORT`. Each line that it reads is a part of a zone, in place of
 * what was said of those names before (null: the name is no more), and is answered with `{"set": NUMBER}`; each question
 * that it hears is a line.
 */
import { createInterface } from "node:readline";
import { DnsServer } from "./dns-server.ts";
import type { ZoneChange } from "./dns-server-process.ts";

const [address = "127.0.0.1", port = "53"] = process.argv.slice(2);
const server = await DnsServer.listen(address, Number(port));
server.onAsked = (question) => console.log(JSON.stringify(question));

let changes = 0;
createInterface(process.stdin)
  .on("line", (line) => {
    const change: ZoneChange = JSON.parse(line);
    for (const [name, records] of Object.entries(change)) server.set(name, records ?? undefined);
    changes += 1;
    console.log(JSON.stringify({ set: changes }));
  })
  .on("close", () => process.exit());
