import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { MAX_ADDRESSES } from "../src/engine.ts";
import { EngineBed } from "./support/engine-bed.ts";
import { SilentServer } from "./support/engine-silent-server.ts";

/** RFC 8305 §8, as in dial.c. */
const ATTEMPT_DELAY_MS = 250;
/** Less than this is at once; a SYN that got no answer is sent again after 1,000 (RFC 6298 §2). */
const PROMPT_MS = 200;

/** On 127.0.0.1 the bed's server answers; here nothing listens; on 127.0.0.2 and 3 nobody ever answers. */
const GOOD = "127.0.0.1";
const REFUSING = "127.0.0.9";
const SILENT = ["127.0.0.2", "127.0.0.3"] as const;

function dialling(t: TestContext, addresses: readonly string[], connectMs = 3_000) {
  return EngineBed.open(t, {
    verdict: ({ engine, upstreamPort }, { id }) =>
      engine.relay(id, addresses, upstreamPort, connectMs),
  });
}

/** One connection that is answered, and how long the dial took. */
async function answered(bed: EngineBed) {
  const app = await bed.connect();
  app.end("hello");
  assert.equal(String((await once(app, "data"))[0]), "hello");
  const [end] = await bed.ends(1);
  return { dialled: end?.dialled, connectMs: end?.connectMs ?? 0 };
}

test("when an address refuses, the next is dialled at once", async (t) => {
  const bed = await dialling(t, [REFUSING, REFUSING, GOOD]);
  const { dialled, connectMs } = await answered(bed);
  assert.equal(dialled, 2);
  assert.ok(connectMs < PROMPT_MS, `${connectMs} ms`);
});

test("when an address is silent, the next is dialled after the attempt delay, and the silent one given up", async (t) => {
  const bed = await dialling(t, [SILENT[0], REFUSING, GOOD]);
  const silent = await SilentServer.open(t, SILENT[0], bed.upstreamPort);
  const app = await bed.connect();
  while (bed.accepted.length === 0) await sleep(1);
  assert.equal(silent.unanswered, 1);
  app.write("hello");
  assert.equal(String((await once(app, "data"))[0]), "hello");
  assert.equal(silent.unanswered, 0);
  silent.wake();
  app.end();
  const [{ connectMs = 0, dialled, how } = {}] = await bed.ends(1);
  assert.deepEqual([dialled, how], [2, "end"]);
  // The delay is counted from when the round of events began that it was asked in: on a busy machine, a little before.
  assert.ok(connectMs >= 0.8 * ATTEMPT_DELAY_MS, `${connectMs} ms`);
  assert.ok(connectMs < 3 * ATTEMPT_DELAY_MS, `${connectMs} ms`);
});

test("a silent address is still waited for while the next is dialled, and used if it answers first", async (t) => {
  const bed = await dialling(t, SILENT);
  const [first, second] = await Promise.all(
    SILENT.map((address) => SilentServer.open(t, address, bed.upstreamPort)),
  );
  const app = await bed.connect();
  while (second?.unanswered !== 1) await sleep(1);
  assert.equal(first?.unanswered, 1);
  first?.wake();
  app.end("hello");
  assert.equal(String((await once(app, "data"))[0]), "hello");
  assert.equal(second?.unanswered, 0);
  const [end] = await bed.ends(1);
  assert.equal(end?.dialled, 0);
});

test("when none answers it is told of the one that failed last, each within its time", async (t) => {
  const cases = [
    { addresses: [SILENT[0], REFUSING], dialled: 0, ms: 400 },
    { addresses: [SILENT[0], REFUSING, SILENT[1]], dialled: 2, ms: ATTEMPT_DELAY_MS + 400 },
    { addresses: SILENT, dialled: 1, ms: ATTEMPT_DELAY_MS + 400 },
  ];
  for (const { addresses, dialled, ms } of cases) {
    const bed = await dialling(t, addresses, 400);
    for (const address of SILENT) await SilentServer.open(t, address, bed.upstreamPort);
    assert.equal(await bed.fate(), "ECONNRESET");
    const [end] = await bed.ends(1);
    assert.deepEqual(
      [end?.how, end?.by, end?.error, end?.dialled, end?.connectMs],
      ["failed", "upstream", "ETIMEDOUT", dialled, undefined],
    );
    const { totalMs = 0 } = end ?? {};
    assert.ok(totalMs >= 0.8 * ms && totalMs < 3 * ms, `${totalMs} ms, not ${ms}`);
  }
});

test("when the app goes away nothing is dialled any more", async (t) => {
  const bed = await dialling(t, [...SILENT, GOOD]);
  const servers = await Promise.all(
    SILENT.map((address) => SilentServer.open(t, address, bed.upstreamPort)),
  );
  const app = await bed.connect();
  while (!servers.every(({ unanswered }) => unanswered === 1)) await sleep(1);
  app.resetAndDestroy();
  const [end] = await bed.ends(1);
  assert.deepEqual([end?.how, end?.by, end?.connectMs], ["reset", "app", undefined]);
  assert.ok(servers.every(({ unanswered }) => unanswered === 0));
});

test("no more addresses are tried than one verdict can have", async (t) => {
  const bed = await dialling(t, [...Array(MAX_ADDRESSES - 1).fill(REFUSING), GOOD, REFUSING]);
  assert.equal((await answered(bed)).dialled, MAX_ADDRESSES - 1);
  const over = await dialling(t, [...Array(MAX_ADDRESSES).fill(REFUSING), GOOD]);
  assert.equal(await over.fate(), "ECONNRESET");
  const [end] = await over.ends(1);
  assert.deepEqual([end?.error, end?.dialled], ["ECONNREFUSED", MAX_ADDRESSES - 1]);
});
