/** The origins of recording-origin.ts: on each line of stdin all that has arrived is told, once every connection is over. */
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

const origins = new Map<number, RecordingOrigin>();
for (let port = firstPort; port < firstPort + count; port++) {
  const origin = new RecordingOrigin(answering);
  await origin.listen(port);
  origins.set(port, origin);
}
console.log(JSON.stringify("ready"));

createInterface(process.stdin)
  .on("line", async () => {
    const visits = [...origins].flatMap(([port, { visits }]) =>
      visits.map((visit) => ({ port, visit })),
    );
    for (let i = 0; i < 500 && visits.some(({ visit }) => visit.how === undefined); i++)
      await sleep(10);
    const told = visits.map(({ port, visit }) => [port, visit.bytes.toString("latin1")]);
    console.log(JSON.stringify(told));
  })
  .on("close", () => process.exit());
