import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { EngineBed, fate, readAll } from "./support/engine-bed.ts";

/** Writes in the given pieces with pauses between them, heeding backpressure, and ends. */
async function speak(socket: Socket, pieces: readonly Buffer[], pausesMs: readonly number[]) {
  for (const [i, piece] of pieces.entries()) {
    if (!socket.write(piece)) await once(socket, "drain");
    const pause = pausesMs[i % Math.max(1, pausesMs.length)] ?? 0;
    if (pause > 0) await sleep(pause);
  }
  socket.end();
}

const script = fc.record({
  sizes: fc.array(
    fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 300_000 })),
    { minLength: 0, maxLength: 12 },
  ),
  pauses: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }),
});

test("both directions carry every byte in order, however they are cut and paused", async (t) => {
  await fc.assert(
    fc.asyncProperty(script, script, async (up, down) => {
      const sent = up.sizes.map((size) => randomBytes(size));
      const answered = down.sizes.map((size) => randomBytes(size));
      let heard: Promise<Buffer> | undefined;
      const bed = await EngineBed.open(t, {
        serve: (socket) => {
          heard = readAll(socket);
          void speak(socket, answered, down.pauses);
        },
      });
      try {
        const app = await bed.connect();
        const received = readAll(app);
        await speak(app, sent, up.pauses);
        assert.ok((await received).equals(Buffer.concat(answered)));
        const [end] = await bed.ends(1);
        assert.ok((await heard)?.equals(Buffer.concat(sent)));
        assert.equal(end?.how, "end");
        assert.equal(end?.sent, Buffer.concat(sent).length);
        assert.equal(end?.received, Buffer.concat(answered).length);
      } finally {
        await bed.close();
      }
    }),
    { seed: 15_001, numRuns: 40 },
  );
});

test("96 MiB each way at once arrive unchanged", async (t) => {
  const pattern = randomBytes(1 << 20);
  const all = Buffer.concat(Array.from({ length: 96 }, () => pattern));
  let heard: Promise<Buffer> | undefined;
  const bed = await EngineBed.open(t, {
    serve: (socket) => {
      heard = readAll(socket);
      socket.end(all);
    },
  });
  const app = await bed.connect();
  const received = readAll(app);
  app.end(all);
  assert.ok((await received).equals(all));
  assert.ok((await heard)?.equals(all));
});

test("an app that has ended still receives, and so does an upstream", async (t) => {
  const late = randomBytes(1 << 20);
  for (const first of ["app", "upstream"] as const) {
    let upstream: Socket | undefined;
    const bed = await EngineBed.open(t, { serve: (socket) => (upstream = socket) });
    const app = await bed.connect();
    app.write("hello");
    while (!upstream) await sleep(1);
    const [ends, goesOn] = first === "app" ? [app, upstream] : [upstream, app];
    const heard = readAll(ends);
    ends.end();
    await fate(goesOn);
    await sleep(20);
    goesOn.end(late);
    const before = first === "app" ? "" : "hello";
    assert.ok((await heard).equals(Buffer.concat([Buffer.from(before), late])), first);
    const [end] = await bed.ends(1);
    assert.deepEqual([end?.how, end?.by], ["end", first]);
  }
});

test("a reset of either side is a reset of the other, also in the middle of a stream", async (t) => {
  for (const side of ["app", "upstream"] as const)
    for (const midStream of [false, true]) {
      let upstream: Socket | undefined;
      const bed = await EngineBed.open(t, { serve: (socket) => (upstream = socket) });
      const app = await bed.connect();
      app.write("hello");
      // Not before the relay is on: a reset while it is dialled is a failure.
      while (!upstream?.bytesRead) await sleep(1);
      const [resets, sees] = side === "app" ? [app, upstream] : [upstream, app];
      const seen = fate(sees);
      if (midStream) {
        resets.write(randomBytes(4 << 20));
        await once(sees, "data");
      }
      resets.resetAndDestroy();
      assert.equal(await seen, "ECONNRESET", `${side}, mid-stream: ${midStream}`);
      const [end] = await bed.ends(1);
      assert.deepEqual([end?.how, end?.by], ["reset", side]);
    }
});

test("a reset is seen although the other side does not read", async (t) => {
  let upstream: Socket | undefined;
  const bed = await EngineBed.open(t, {
    serve: (socket) => {
      upstream = socket;
      socket.pause();
    },
  });
  const app = await bed.connect();
  app.write(randomBytes(64 << 20));
  while (!upstream) await sleep(1);
  await sleep(200);
  app.resetAndDestroy();
  const [end] = await bed.ends(1);
  assert.deepEqual([end?.how, end?.by], ["reset", "app"]);
  upstream.destroy();
});

test("a slow reader holds up nobody else, and memory stays bounded", async (t) => {
  const flood = randomBytes(1 << 20);
  const bed = await EngineBed.open(t);
  const slow = await bed.connect();
  slow.pause();
  let flooding = true;
  const pour = () => {
    while (flooding && slow.write(flood)) {}
  };
  slow.on("drain", pour);
  const before = process.memoryUsage().rss;
  pour();
  for (let i = 0; i < 200; i++) {
    const fast = await bed.connect();
    fast.end(Buffer.alloc(5_000, i));
    assert.ok((await readAll(fast)).equals(Buffer.alloc(5_000, i)));
  }
  flooding = false;
  const grown = process.memoryUsage().rss - before;
  assert.ok(grown < 100 << 20, `grew by ${grown} bytes`);
  slow.destroy();
});

test("the half-closed time counts from the end, not from the last byte", async (t) => {
  const bed = await EngineBed.open(t, {
    limits: { halfClosedMs: 2_000 },
    serve: (socket) => socket.resume().once("end", () => socket.end("late answer")),
  });
  const app = await bed.connect();
  app.write("hello");
  await sleep(2_500);
  const heard = readAll(app);
  app.end();
  assert.equal((await heard).toString(), "late answer");
});

test("an answer that comes before the question is over arrives, although the rest is refused", async (t) => {
  const answer = "413 Content Too Large";
  const bed = await EngineBed.open(t, {
    serve: (socket) => socket.once("data", () => socket.end(answer, () => socket.destroy())),
  });
  for (let i = 0; i < 100; i++) {
    const app = await bed.connect();
    let heard = "";
    app.on("data", (chunk) => {
      heard += chunk;
    });
    const over = new Promise((resolve) => app.once("close", resolve));
    app.on("end", () => app.destroy());
    for (let piece = 0; piece < 20; piece++) app.write(Buffer.alloc(100_000));
    await over;
    assert.equal(heard, answer, `connection ${i}`);
  }
});
