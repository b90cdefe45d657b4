/** The origin of recording-origin.ts: on each line of stdin all that has arrived is told, once every connection is over. */
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Answering,
  answerMarked,
  RecordingOrigin,
} from "../../proxy/test/http/relay/origin.ts";

const [firstPort = 0, count = 0] = process.argv.slice(2).map(Number);

/** `/say/…` and `/say-and-end/…` are answered by what stands there in hexadecimal digits. */
const answering: Answering = (request, socket, visit) => {
  const [, how, hex] = /^\/(say|say-and-end)\/([0-9a-f]*)$/.exec(request.target) ?? [];
  if (hex === undefined) return answerMarked(request, socket, visit);
  socket.write(Buffer.from(hex, "hex"));
  if (how === "say-and-end") socket.end();
};

const origin = new RecordingOrigin(answering);
for (let port = firstPort; port < firstPort + count; port++) await origin.listen(port);
console.log(JSON.stringify("ready"));

createInterface(process.stdin)
  .on("line", async () => {
    const { visits } = origin;
    for (let i = 0; i < 500 && visits.some(({ how }) => how === undefined); i++) await sleep(10);
    const told = visits.map(({ port, bytes }) => [port, bytes.toString("latin1")]);
    console.log(JSON.stringify(told));
  })
  .on("close", () => process.exit());
