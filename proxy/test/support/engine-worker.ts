/** An engine in a worker thread, which ends with it: relays everything to the port given, and says its own. */
import { parentPort, workerData } from "node:worker_threads";
import { Engine } from "../../src/engine.ts";
import { LIMITS } from "./engine-bed.ts";

const engine = new Engine([{ address: "127.0.0.1", port: 0 }], LIMITS, {
  accepted: ({ id }) => engine.relay(id, ["127.0.0.1"], Number(workerData), 5_000, true),
  said: () => {},
  finished: () => {},
  accepting: () => {},
});
parentPort?.postMessage(engine.ports[0]);
