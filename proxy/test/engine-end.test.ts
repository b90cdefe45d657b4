import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { EngineBed, fate } from "./support/engine-bed.ts";
import { EngineProcess, echo } from "./support/engine-process.ts";
import { loopbackServer } from "./support/loopback-server.ts";

test("a worker that ends takes its engine along, in the middle of traffic", async (t) => {
  const server = await loopbackServer((socket) => socket.pipe(socket));
  t.after(() => server.close());
  for (let round = 0; round < 10; round++) {
    const worker = new Worker(new URL("support/engine-worker.ts", import.meta.url), {
      workerData: server.port,
    });
    const [port] = await once(worker, "message");
    const apps = Array.from({ length: 20 }, () => connect(port, "127.0.0.1"));
    const fates = apps.map(fate);
    for (const app of apps) app.write(Buffer.alloc(1 << 20));
    await once(apps[0] ?? worker, "data");
    assert.equal(await worker.terminate(), 1);
    assert.ok((await Promise.all(fates)).every((seen) => seen !== "end"));
    const refused = connect(port, "127.0.0.1");
    assert.equal(await fate(refused), "ECONNREFUSED");
  }
});

test("a process may exit without stopping its engine, in the middle of traffic", async (t) => {
  const engine = await EngineProcess.start(t, { serve: (socket) => socket.pipe(socket) });
  const apps = await Promise.all(Array.from({ length: 20 }, () => engine.connect()));
  for (const app of apps) await echo(app, "hello");
  for (const app of apps) app.write(Buffer.alloc(1 << 20));
  assert.deepEqual(await engine.exit(), [0, null]);
});

test("whoever still asks when the engine stops, or after, is answered", async (t) => {
  const asked: Promise<unknown>[] = [];
  const bed = await EngineBed.open(t, {
    threads: 2,
    verdict: ({ engine }, { id }) => void asked.push(engine.peek(id, 0, 60_000)),
  });
  const apps = await Promise.all(Array.from({ length: 8 }, () => bed.connect()));
  while (bed.accepted.length < apps.length) await sleep(1);
  const ids = bed.accepted.map(({ id }) => id);
  const ask = () => asked.push(bed.engine.report(), ...ids.map((id) => bed.engine.release(id)));
  const stopped = bed.engine.stop();
  ask();
  // The thread may be over before the news of it is: its answer to these never comes.
  const until = performance.now() + 50;
  while (performance.now() < until);
  ask();
  await stopped;
  ask();
  asked.push(...ids.map((id) => bed.engine.peek(id, 0, 60_000)));
  const answers = await Promise.all(asked);
  assert.equal(answers.length, apps.length * 5 + 3);
  assert.ok(answers.every((answer) => answer === undefined || answer instanceof Map));
  await bed.engine.stop();
});
