import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fate, readAll } from "./support/engine-bed.ts";
import { EngineProcess, echo } from "./support/engine-process.ts";

const echoServer = (socket: Socket) => socket.pipe(socket);

test("without descriptors accepting pauses, nothing spins, and it resumes when some are free", async (t) => {
  const engine = await EngineProcess.start(t, { serve: echoServer, openFiles: 80 });
  const first = await engine.connect();
  assert.equal(await echo(first, "before"), "before");
  const crowd = Array.from({ length: 150 }, () => engine.dial());
  assert.equal((await engine.said("paused")).error, "EMFILE");
  await sleep(200);
  const before = engine.cpuMs();
  await sleep(1_000);
  const used = engine.cpuMs() - before;
  assert.ok(used < 300, `used ${used} ms of processor time in a second`);
  assert.equal(await echo(first, "meanwhile"), "meanwhile");
  for (const socket of crowd) socket.destroy();
  const later = await engine.connect();
  later.end("after");
  assert.equal((await readAll(later)).toString(), "after");
});

test("that descriptors are free again is told although accepting was paused meanwhile", async (t) => {
  const engine = await EngineProcess.start(t, { serve: echoServer, openFiles: 80 });
  let told = false;
  const starved = engine.said("paused").finally(() => {
    told = true;
  });
  const crowd: Socket[] = [];
  while (!told) crowd.push(await engine.connect());
  assert.deepEqual(await starved, { paused: true, error: "EMFILE" });
  await engine.pause();
  for (const socket of crowd) socket.destroy();
  await sleep(250); // it would have looked again
  engine.resume();
  assert.equal((await engine.said("paused")).paused, false);
});

test("while JavaScript is busy relays go on, and new connections wait for it", async (t) => {
  const engine = await EngineProcess.start(t, { serve: echoServer });
  const open = await engine.connect();
  assert.equal(await echo(open, "before"), "before");
  const started = performance.now();
  await engine.stall(1_500);
  let rounds = 0;
  const late = engine.connect();
  while (performance.now() - started < 1_000) {
    assert.equal(await echo(open, "meanwhile"), "meanwhile");
    rounds += 1;
  }
  assert.ok(rounds > 20, `${rounds} rounds in a second`);
  assert.equal(await echo(await late, "late"), "late");
  assert.ok(performance.now() - started >= 1_400);
});

test("a new connection waits for busy JavaScript no longer than its timeout", async (t) => {
  const engine = await EngineProcess.start(t, { serve: echoServer, limits: { verdictMs: 200 } });
  await engine.stall(1_500);
  const started = performance.now();
  assert.equal(await fate(await engine.connect()), "ECONNRESET");
  assert.ok(performance.now() - started < 1_000);
});

test("of what JavaScript has not read there is never much: connections that come wait unaccepted", async (t) => {
  const engine = await EngineProcess.start(t, { serve: echoServer, limits: { connections: 1 } });
  const first = await engine.connect();
  assert.equal(await echo(first, "only"), "only");
  await engine.stall(2_000);
  const started = performance.now();
  let reset = 0;
  const gone = Array.from({ length: 6_000 }, (_, i) => {
    const socket = engine.dial(`127.0.2.${1 + (i % 16)}`);
    return new Promise<void>((resolve) => {
      socket.once("close", () => {
        reset += 1;
        resolve();
      });
    });
  });
  while (performance.now() - started < 1_800) await sleep(20);
  assert.ok(reset >= 4_096 && reset < 4_096 + 64 + 10, `${reset} were accepted, to be reset`);
  await Promise.all(gone);
});

test("8,000 idle connections hold no pipe, and each still works", async (t) => {
  const engine = await EngineProcess.start(t, { serve: echoServer });
  const base = await engine.usage();
  const idle: Socket[] = [];
  while (idle.length < 8_000)
    idle.push(
      ...(await Promise.all(
        Array.from({ length: 200 }, (_, i) => engine.connect(`127.0.1.${1 + (i % 16)}`)),
      )),
    );
  for (let i = 0; i < idle.length; i += 200)
    await Promise.all(
      idle.slice(i, i + 200).map(async (socket) => assert.equal(await echo(socket, "a"), "a")),
    );
  const full = await engine.usage();
  assert.equal(full.sockets - base.sockets, 16_000);
  assert.equal(full.pipes, base.pipes);
  for (const socket of idle) socket.destroy();
  while ((await engine.usage()).finished < 8_000) await sleep(20);
  assert.equal((await engine.usage()).sockets, base.sockets);
});

test("100,000 short connections leave no descriptor and no memory behind", async (t) => {
  const engine = await EngineProcess.start(t, {
    serve: (socket) => socket.once("data", (bytes) => socket.end(bytes)),
  });
  let made = 0;
  const many = async (count: number) => {
    const until = made + count;
    const worker = async (lane: number) => {
      while (made < until) {
        made += 1;
        // Each address has ports of its own; one alone would run out of them.
        const app = await engine.connect(`127.0.0.${2 + (lane % 16)}`);
        app.write("hello");
        assert.equal(String((await once(app, "data"))[0]), "hello");
        app.resetAndDestroy();
      }
    };
    await Promise.all(Array.from({ length: 64 }, (_, lane) => worker(lane)));
  };
  await many(10_000);
  const before = await engine.usage();
  await many(90_000);
  let after = await engine.usage();
  for (let i = 0; i < 100 && after.finished < made; i++) {
    await sleep(50);
    after = await engine.usage();
  }
  assert.equal(after.finished, made);
  assert.equal(after.sockets, before.sockets);
  assert.equal(after.pipes, before.pipes);
  assert.ok(after.rssKb - before.rssKb < 30_000, `grew by ${after.rssKb - before.rssKb} KB`);
  t.diagnostic(`memory ${before.rssKb} KB → ${after.rssKb} KB`);
});

test("a flood of connections leaves JavaScript its other work", async (t) => {
  const engine = await EngineProcess.start(t, { serve: (socket) => socket.resume() });
  let flooding = true;
  const flood = async (lane: number) => {
    while (flooding) {
      const socket = engine.dial(`127.0.0.${2 + lane}`);
      await new Promise((resolve) => {
        socket.once("connect", resolve);
        socket.once("close", resolve);
      });
      socket.resetAndDestroy();
    }
  };
  const floods = Array.from({ length: 32 }, (_, lane) => flood(lane));
  await sleep(500);
  const waits: number[] = [];
  for (let i = 0; i < 5; i++) {
    const asked = performance.now();
    await engine.usage();
    waits.push(performance.now() - asked);
  }
  flooding = false;
  await Promise.all(floods);
  assert.ok(Math.max(...waits) < 2_000, `answered after ${waits.map(Math.round).join(", ")} ms`);
});
