import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { EngineBed, fate, readAll } from "./support/engine-bed.ts";

/** A bed whose engine waits so long for the first bytes of each connection. */
async function peekingFirst(
  t: TestContext,
  waitMs: number,
  options: Parameters<typeof EngineBed.open>[1] = {},
): Promise<EngineBed> {
  const bed = await EngineBed.open(t, options);
  bed.engine.peekFirst([{ first: bed.port, last: bed.port }], waitMs);
  return bed;
}

const shown = ({ accepted }: EngineBed) =>
  accepted.map(({ head }) => head && { ...head, bytes: String(head.bytes) });

test("a connection is told of with its first bytes, which are relayed all the same", async (t) => {
  const bed = await peekingFirst(t, 60_000);
  const app = await bed.connect();
  await bed.engine.report();
  assert.equal(bed.accepted.length, 0);
  app.write("hello");
  assert.equal(String((await once(app, "data"))[0]), "hello");
  assert.deepEqual(shown(bed), [{ bytes: "hello", ended: false, timedOut: false }]);
  assert.equal((await bed.engine.report()).size, 1);
});

test("an app that ends, or stays silent, is told of as such, and more can be peeked at", async (t) => {
  const later: string[] = [];
  const bed = await peekingFirst(t, 50, {
    verdict: async (bed, { id, head }) => {
      if (head?.timedOut) later.push(String((await bed.engine.peek(id, 0, 5_000))?.bytes));
      bed.relay(id);
    },
  });
  const ending = await bed.connect();
  ending.end();
  await readAll(ending);
  const silent = await bed.connect();
  while (bed.accepted.length < 2) await sleep(1);
  silent.end("at last");
  assert.equal(String(await readAll(silent)), "at last");
  assert.deepEqual(shown(bed), [
    { bytes: "", ended: true, timedOut: false },
    { bytes: "", ended: false, timedOut: true },
  ]);
  assert.deepEqual(later, ["at last"]);
});

test("connections to other ports are told of at once, and so are all when it is called off", async (t) => {
  const bed = await peekingFirst(t, 60_000);
  for (const ranges of [
    [
      { first: 0, last: bed.port - 1 },
      { first: bed.port + 1, last: 65_535 },
    ],
    [],
  ]) {
    const before = bed.accepted.length;
    bed.engine.peekFirst(ranges, 60_000);
    await bed.engine.report();
    await bed.connect();
    while (bed.accepted.length === before) await sleep(1);
  }
  assert.deepEqual(shown(bed), [undefined, undefined]);
});

test("each is accepted before it is finished, whether the app resets, all are closed or the engine stops", async (t) => {
  const endings: [(bed: EngineBed, app: Socket) => void, how: string, by: string][] = [
    [(_, app) => app.resetAndDestroy(), "reset", "app"],
    [({ engine }) => engine.closeAll(), "closed", "sidecar"],
    [({ engine }) => void engine.stop(), "closed", "sidecar"],
  ];
  for (const [end, how, by] of endings) {
    const bed = await peekingFirst(t, 60_000, { limits: { connections: 1 }, verdict: () => {} });
    const app = await bed.connect();
    await bed.fate(); // it is over the limit, so the first has come in
    end(bed, app);
    const [finished] = await bed.ends(1);
    assert.deepEqual([finished?.how, finished?.by], [how, by]);
    assert.deepEqual(
      bed.accepted.map(({ overLimit, head }) => [overLimit, head]),
      [
        [true, undefined],
        [false, undefined],
      ],
    );
  }
});

test("one that is waited for counts as open, is not reported, and its time for a verdict has not begun", async (t) => {
  const bed = await peekingFirst(t, 200, {
    limits: { connections: 1, verdictMs: 50 },
    verdict: () => {},
  });
  const seen = fate(await bed.connect());
  assert.equal(await bed.fate(), "ECONNRESET");
  assert.equal((await bed.engine.report()).size, 0);
  assert.deepEqual(
    bed.accepted.map(({ overLimit }) => overLimit),
    [true],
  );
  assert.equal(await seen, "ECONNRESET");
  const [end] = await bed.ends(1);
  assert.deepEqual([end?.how, end?.by, bed.accepted.length], ["timeout", "sidecar", 2]);
  assert.ok((end?.totalMs ?? 0) >= 249, `${end?.totalMs} ms`);
});
