import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Engine, EngineError } from "../src/engine.ts";
import { EngineBed, fate, LIMITS, readAll } from "./support/engine-bed.ts";

test("a connection made to the listener itself is known for one", async (t) => {
  const bed = await EngineBed.open(t);
  const app = await bed.connect();
  const source = { address: "127.0.0.1", port: app.localPort };
  app.end("hello");
  await readAll(app);
  const [inbound] = bed.accepted;
  assert.equal(inbound?.own, true);
  assert.deepEqual(inbound?.destination, { address: "127.0.0.1", port: bed.port });
  assert.deepEqual(inbound?.source, source);
});

test("a destination where nothing listens is a failure with its errno, and a reset to the app", async (t) => {
  const bed = await EngineBed.open(t, {
    verdict: ({ engine }, { id }) => engine.relay(id, ["127.0.0.9"], 9, 1_000),
  });
  assert.equal(await bed.fate(), "ECONNRESET");
  const [end] = await bed.ends(1);
  assert.deepEqual([end?.how, end?.by, end?.error], ["failed", "upstream", "ECONNREFUSED"]);
  assert.equal(end?.connectMs, undefined);
});

test("a refusal is a reset, or an answer that arrives although the app had more to say", async (t) => {
  const answer = Buffer.from("HTTP/1.1 403 Forbidden\r\n\r\n");
  const bed = await EngineBed.open(t, {
    verdict: ({ engine, accepted }, { id }) =>
      engine.refuse(id, accepted.length === 1 ? undefined : answer),
  });
  assert.equal(await bed.fate(), "ECONNRESET");
  const app = await bed.connect();
  const heard = readAll(app);
  app.write(Buffer.alloc(4_000_000));
  assert.deepEqual(await heard, answer);
  app.end();
  const ends = await bed.ends(2);
  assert.deepEqual(
    ends.map(({ how, by }) => [how, by]),
    [
      ["refused", "sidecar"],
      ["refused", "sidecar"],
    ],
  );
});

test("peeking shows what came, more of it, its end or its absence, and takes nothing", async (t) => {
  const shown: string[] = [];
  const bed = await EngineBed.open(t, {
    verdict: async ({ engine, upstreamPort }, { id }) => {
      let seen = 0;
      for (const waitMs of [2_000, 2_000, 20, 2_000]) {
        const head = await engine.peek(id, seen, waitMs);
        if (!head) return;
        seen = head.bytes.length;
        shown.push(`${head.bytes}${head.timedOut ? " (time)" : ""}${head.ended ? " (end)" : ""}`);
        if (seen === 5) app.write(" world");
        if (head.timedOut) app.end();
      }
      engine.relay(id, ["127.0.0.1"], upstreamPort, 1_000);
    },
  });
  const app = await bed.connect();
  app.write("hello");
  assert.equal((await readAll(app)).toString(), "hello world");
  assert.deepEqual(shown, ["hello", "hello world", "hello world (time)", "hello world (end)"]);
});

test("a released connection is a socket of Node's with every byte still in it", async (t) => {
  const bed = await EngineBed.open(t, {
    verdict: async ({ engine }, { id }) => {
      await engine.peek(id, 0, 20_000);
      const fd = await engine.release(id);
      const socket = new Socket({ fd: fd ?? -1, readable: true, writable: true });
      socket.once("data", (bytes) => socket.end(`node read ${bytes}`));
    },
  });
  const app = await bed.connect();
  app.end("hello");
  assert.equal((await readAll(app)).toString(), "node read hello");
});

test("a peek or a release that comes too late says so", async (t) => {
  const bed = await EngineBed.open(t, { verdict: ({ engine }, { id }) => engine.close(id) });
  await bed.fate();
  await bed.ends(1);
  const id = bed.accepted[0]?.id ?? 0;
  assert.equal(await bed.engine.peek(id, 0, 1_000), undefined);
  assert.equal(await bed.engine.release(id), undefined);
});

test("an app that resets while it waits is over, and an old verdict does nothing", async (t) => {
  const bed = await EngineBed.open(t, { verdict: () => {} });
  const app = await bed.connect();
  while (bed.accepted.length === 0) await sleep(1);
  app.resetAndDestroy();
  const [end] = await bed.ends(1);
  assert.deepEqual([end?.how, end?.by], ["reset", "app"]);
  bed.relay(bed.accepted[0]?.id ?? 0);
  const other = await bed.connect();
  while (bed.accepted.length === 1) await sleep(1);
  assert.notEqual(bed.accepted[0]?.id, bed.accepted[1]?.id);
  other.destroy();
});

test("one connection more than may be open is reset and reported as such", async (t) => {
  const bed = await EngineBed.open(t, { limits: { connections: 2 } });
  const first = await bed.connect();
  await bed.connect();
  assert.equal(await bed.fate(), "ECONNRESET");
  await bed.engine.report();
  assert.deepEqual(
    bed.accepted.map(({ overLimit }) => overLimit),
    [false, false, true],
  );
  first.destroy();
  await bed.ends(1);
  const again = await bed.connect();
  again.end("hello");
  assert.equal((await readAll(again)).toString(), "hello");
});

test("nobody's verdict, nobody's byte, nobody's other end: each has its timeout", async (t) => {
  const cases = [
    { limits: { verdictMs: 50 }, verdict: () => {}, speak: false },
    { limits: { idleMs: 50 }, speak: false },
    { limits: { halfClosedMs: 50 }, speak: true },
  ];
  for (const { speak, ...options } of cases) {
    const bed = await EngineBed.open(t, { serve: (socket) => socket.resume(), ...options });
    const app = await bed.connect();
    if (speak) app.end("hello");
    const seen = fate(app);
    const [end] = await bed.ends(1);
    assert.deepEqual([end?.how, end?.by], ["timeout", "sidecar"], JSON.stringify(options.limits));
    assert.equal(await seen, "ECONNRESET");
  }
});

test("an active connection outlives its idle timeout", async (t) => {
  const bed = await EngineBed.open(t, { limits: { idleMs: 2_000 } });
  const app = await bed.connect();
  const received = readAll(app);
  for (let i = 0; i < 12; i++) {
    app.write("x");
    await sleep(250);
  }
  app.end();
  assert.equal((await received).length, 12);
});

test("paused, new connections wait; resumed, they are served", async (t) => {
  const bed = await EngineBed.open(t);
  bed.engine.pause();
  await bed.engine.report();
  const app = await bed.connect();
  app.end("hello");
  await sleep(30);
  assert.equal(bed.accepted.length, 0);
  bed.engine.resume();
  assert.equal((await readAll(app)).toString(), "hello");
});

test("stopping in the middle of traffic resets every connection and tells of each", async (t) => {
  const bed = await EngineBed.open(t);
  const apps = await Promise.all(Array.from({ length: 50 }, () => bed.connect()));
  for (const app of apps) app.write(Buffer.alloc(1 << 20));
  const fates = apps.map(fate);
  await bed.engine.report();
  await bed.engine.stop();
  assert.equal(bed.finished.length, bed.accepted.length);
  assert.ok((await Promise.all(fates)).every((seen) => seen === "ECONNRESET"));
});

test("what is open is reported with what it has moved", async (t) => {
  const bed = await EngineBed.open(t);
  const app = await bed.connect();
  app.write(Buffer.alloc(10_000));
  let received = 0;
  while (received < 10_000) received += (await once(app, "data"))[0].length;
  const live = [...(await bed.engine.report()).values()];
  assert.deepEqual(live, [{ sent: 10_000, received: 10_000, dialled: 0 }]);
});

test("a port that is taken is an error with its code, and leaves nothing listening", async (t) => {
  const taken = createServer().listen(0, "127.0.0.1");
  t.after(() => taken.close());
  await once(taken, "listening");
  const { port } = taken.address() as { port: number };
  const handlers = { accepted: () => {}, finished: () => {}, accepting: () => {} };
  const listen = [
    { address: "::1", port },
    { address: "127.0.0.1", port },
  ];
  const start = () => new Engine(listen, LIMITS, handlers);
  assert.throws(start, (error) => error instanceof EngineError && error.code === "EADDRINUSE");
  const free = createServer().listen(port, "::1");
  t.after(() => free.close());
  await once(free, "listening");
});

test("several threads share the port, and each connection keeps its own", async (t) => {
  const bed = await EngineBed.open(t, { threads: 4 });
  const apps = await Promise.all(Array.from({ length: 200 }, () => bed.connect()));
  for (const [i, app] of apps.entries()) app.write(`connection ${i}`);
  for (const [i, app] of apps.entries())
    assert.equal(String((await once(app, "data"))[0]), `connection ${i}`);
  const live = await bed.engine.report();
  assert.deepEqual([...live.keys()].sort(), bed.accepted.map(({ id }) => id).sort());
  assert.equal(new Set(bed.accepted.map(({ id }) => id % 4)).size, 4);
  for (const app of apps) app.end();
  await bed.ends(200);
  assert.ok(bed.finished.every(({ how }) => how === "end"));
});
