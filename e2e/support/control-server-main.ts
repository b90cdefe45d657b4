/** A controller's end of the stream of policy, for a namespace: what it is told on standard input it does, what it hears it says. */
import { createInterface } from "node:readline";
import { ControlServer } from "../../proxy/test/support/control-server.ts";
import type { Told } from "./control-server.ts";

const { authority, certificate, key, host, port } = JSON.parse(process.argv[2] ?? "");
const server = await ControlServer.start({
  ...{ host, port },
  authority: {
    certificate: authority,
    issue: async () => ({ certificate, key, notBefore: new Date(), notAfter: new Date() }),
  },
});
const tell = (what: object) => process.stdout.write(`${JSON.stringify(what)}\n`);
tell({ listening: true });

/** What every stream is told from its beginning; undefined: nothing. */
let greeting: object | undefined;
let greeted = 0;
/** Of each stream, the lines that have been told. */
const heard: number[] = [];

setInterval(() => {
  for (; greeting && greeted < server.streams.length; greeted++)
    server.streams[greeted]?.say(greeting);
  for (const [i, { lines }] of server.streams.entries()) {
    for (const line of lines.slice(heard[i] ?? 0)) tell({ line });
    heard[i] = lines.length;
  }
}, 20);

createInterface(process.stdin).on("line", (text) => {
  const told: Told = JSON.parse(text);
  greeting = told.say;
  for (const stream of server.streams.slice(0, greeted)) if (!stream.isOver) stream.say(told.say);
});
