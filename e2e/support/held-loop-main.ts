/**
 * `held-loop-main.ts LISTENER ADDRESS PORT`: an app dials ADDRESS, a redirect brings it to an engine that holds it and
 * dials the same for it, and the redirect, which spares nobody, brings that back too. Before the engine looks, what it
 * has dialled is closed again. Prints, for each of the two, whether the engine took it for one of its own.
 */
import { closeSync } from "node:fs";
import { connect } from "node:net";
import { Engine, type Inbound } from "@sallyport/proxy/engine";

const [listener, address = "", port] = process.argv.slice(2);
const waiting: PromiseWithResolvers<Inbound>[] = [];
const next = () => {
  const inbound = Promise.withResolvers<Inbound>();
  waiting.push(inbound);
  return inbound.promise;
};
const engine = new Engine(
  ["127.0.0.1", "::1"].map((at) => ({ address: at, port: Number(listener) })),
  { connections: 10, verdictMs: 5_000, idleMs: 0, halfClosedMs: 0, keepaliveSeconds: 0 },
  {
    accepted: (inbound) => waiting.shift()?.resolve(inbound),
    finished: () => {},
    accepting: () => {},
  },
);

const first = next();
const app = connect(Number(port), address).on("error", () => {});
const { id, own } = await first;
engine.pause();
const [held, dialled] = await Promise.all([
  engine.release(id),
  engine.dial(id, [address], Number(port), 5_000),
]);
if (held === undefined || !dialled || !("fd" in dialled))
  throw new Error(`not dialled: ${JSON.stringify(dialled)}`);
closeSync(dialled.fd);
const back = next();
engine.resume();
console.log(JSON.stringify([own, (await back).own]));
app.destroy();
closeSync(held);
await engine.stop();
