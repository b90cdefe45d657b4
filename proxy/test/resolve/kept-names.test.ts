import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Failure } from "../../src/resolve/answer.ts";
import { KeptNames } from "../../src/resolve/kept-names.ts";
import { DEFAULTS, type Limits } from "../../src/resolve/limits.ts";

const MINUTE = 60_000;
const found = (ttlSeconds: number, ...addresses: string[]) => ({ addresses, ttlSeconds });
const missed = (failure: Failure) => ({ addresses: [], ttlSeconds: 0, failure });

function keptNames(names: readonly string[], limits: Partial<Limits> = {}): KeptNames {
  const kept = new KeptNames({ ...DEFAULTS, ...limits });
  kept.keep(names);
  return kept;
}

test("an address counts as a name's for its TTL and five minutes", () => {
  const kept = keptNames(["db.test"]);
  kept.remember("db.test", found(60, "192.0.2.1"), 0, 0);
  assert.deepEqual(kept.namesOf("192.0.2.1", 6 * MINUTE - 1), ["db.test"]);
  assert.deepEqual(kept.addressesOf("db.test", 6 * MINUTE - 1), ["192.0.2.1"]);
  assert.deepEqual(kept.namesOf("192.0.2.1", 6 * MINUTE), []);
  assert.equal(kept.addressesOf("db.test", 6 * MINUTE), undefined);
});

test("servers that give other addresses each time: all of them count, the last are the answer", () => {
  const kept = keptNames(["db.test"]);
  kept.remember("db.test", found(5, "192.0.2.1", "192.0.2.2"), 0, 0);
  kept.remember("db.test", found(5, "192.0.2.3"), 5_000, 0);
  for (const address of ["192.0.2.1", "192.0.2.2", "192.0.2.3"])
    assert.deepEqual(kept.namesOf(address, 6_000), ["db.test"], address);
  assert.deepEqual(kept.addressesOf("db.test", 6_000), ["192.0.2.3"]);
  assert.deepEqual(kept.namesOf("192.0.2.1", 5_000 + 5 * MINUTE), []);
  assert.deepEqual(kept.namesOf("192.0.2.3", 5_000 + 5 * MINUTE), ["db.test"]);
});

test("two names at one address are both told, and each is forgotten alone", () => {
  const kept = keptNames(["a.test", "b.test"]);
  kept.remember("a.test", found(60, "192.0.2.1"), 0, 0);
  kept.remember("b.test", found(60, "192.0.2.1"), 0, 0);
  assert.deepEqual(kept.namesOf("192.0.2.1", 1), ["a.test", "b.test"]);
  kept.keep(["b.test"]);
  assert.deepEqual(kept.namesOf("192.0.2.1", 1), ["b.test"]);
  assert.equal(kept.addressesOf("a.test", 1), undefined);
  assert.equal(kept.addresses, 1);
  kept.keep([]);
  assert.equal(kept.addresses, 0);
});

test("a name that stays keeps what is known of it when the list is replaced", () => {
  const kept = keptNames(["a.test", "b.test"]);
  kept.remember("a.test", found(60, "192.0.2.1"), 0, 0);
  kept.keep(["a.test", "c.test"]);
  assert.deepEqual(kept.addressesOf("a.test", 1), ["192.0.2.1"]);
  assert.deepEqual(kept.due(1, 10), ["c.test"]);
});

test("what is not kept is not remembered", () => {
  const kept = keptNames(["a.test"]);
  kept.remember("b.test", found(60, "192.0.2.1"), 0, 0);
  assert.deepEqual(kept.namesOf("192.0.2.1", 1), []);
});

test("when it cannot be asked, the last addresses go on for their grace, and the answer says why", () => {
  const kept = keptNames(["db.test"]);
  kept.remember("db.test", found(60, "192.0.2.1"), 0, 0);
  kept.remember("db.test", missed("timeout"), MINUTE, 0);
  assert.deepEqual(kept.addressesOf("db.test", MINUTE), ["192.0.2.1"]);
  assert.deepEqual(kept.fresh("db.test", MINUTE), { addresses: ["192.0.2.1"], error: "timeout" });
  assert.equal(kept.fresh("db.test", MINUTE + 1_000), undefined, "to be asked again");
});

test("when there is no such name any more it has no addresses, while its old ones run out", () => {
  const kept = keptNames(["db.test"]);
  kept.remember("db.test", found(60, "192.0.2.1"), 0, 0);
  kept.remember("db.test", missed("not_found"), MINUTE, 0);
  assert.deepEqual(kept.addressesOf("db.test", MINUTE), []);
  assert.deepEqual(kept.namesOf("192.0.2.1", MINUTE), ["db.test"]);
});

test("nothing is known of a name that has never been answered", () => {
  const kept = keptNames(["db.test"]);
  assert.equal(kept.addressesOf("db.test", 0), undefined);
  kept.remember("db.test", missed("timeout"), 0, 0);
  assert.equal(kept.addressesOf("db.test", 0), undefined);
  assert.equal(kept.unknown(0), 1);
});

/** When a name that has been answered so is due again. */
function dueAfter(...replies: readonly Parameters<KeptNames["remember"]>[1][]): number {
  const kept = keptNames(["db.test"]);
  for (const reply of replies) kept.remember("db.test", reply, 0, 0);
  for (let ms = 0; ms < 4_000_000; ms += 500) if (kept.due(ms, 1).length > 0) return ms;
  return Number.POSITIVE_INFINITY;
}

test("a new name is due at once, once", () => {
  const kept = keptNames(["db.test"]);
  assert.deepEqual(kept.due(0, 10), ["db.test"]);
  assert.deepEqual(kept.due(9e9, 10), [], "it is being asked");
});

for (const [what, replies, dueMs] of [
  ["a name is asked for again when its TTL ends", [found(60, "192.0.2.1")], 60_000],
  ["a TTL of 0 is asked for again after five seconds", [found(0, "192.0.2.1")], 5_000],
  ["a failure is tried again after a second", [missed("timeout")], 1_000],
  ["the third failure after four", Array(3).fill(missed("timeout")), 4_000],
  ["the hundredth after a minute", Array(100).fill(missed("timeout")), 60_000],
  ["no such name twice after ten seconds", [missed("not_found"), missed("not_found")], 10_000],
  [
    "an answer ends the waiting",
    [missed("timeout"), missed("timeout"), found(30, "192.0.2.1")],
    30_000,
  ],
] as const)
  test(what, () => assert.equal(dueAfter(...replies), dueMs));

test("of many that are due, no more are given than wanted, and none twice", () => {
  const kept = keptNames(["a.test", "b.test", "c.test"]);
  assert.deepEqual(kept.due(0, 2), ["a.test", "b.test"]);
  assert.deepEqual(kept.due(0, 2), ["c.test"]);
});

test("a name whose servers give ever new addresses is remembered within a bound, the newest of them", () => {
  const kept = keptNames(["db.test"], { keptMaxAddresses: 3 });
  for (let i = 1; i <= 10; i++) kept.remember("db.test", found(60, `192.0.2.${i}`), i, 0);
  assert.deepEqual(
    Array.from({ length: 10 }, (_, i) => kept.namesOf(`192.0.2.${i + 1}`, 11).length),
    [0, 0, 0, 0, 0, 0, 0, 1, 1, 1],
  );
});

test("whatever is answered in whatever order, an address is a name's exactly while one of its answers counts", () => {
  const NAMES = ["a.test", "b.test", "c.test"];
  const ADDRESSES = ["192.0.2.1", "192.0.2.2", "2001:db8::1"];
  const step = fc.record({
    name: fc.constantFrom(...NAMES),
    addresses: fc.subarray(ADDRESSES),
    ttlSeconds: fc.nat(600),
    laterMs: fc.nat(400_000),
    keep: fc.option(fc.subarray(NAMES), { freq: 6 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const kept = keptNames(NAMES);
      let list = NAMES;
      let said: { name: string; address: string; untilMs: number }[] = [];
      let nowMs = 0;
      for (const { name, addresses, ttlSeconds, laterMs, keep } of steps) {
        nowMs += laterMs;
        if (keep) {
          list = keep;
          kept.keep(keep);
          said = said.filter((entry) => keep.includes(entry.name));
        }
        const reply = addresses.length > 0 ? found(ttlSeconds, ...addresses) : missed("timeout");
        kept.remember(name, reply, nowMs, 0);
        const untilMs = nowMs + Math.max(ttlSeconds, 1) * 1_000 + 5 * MINUTE;
        if (list.includes(name))
          for (const address of addresses) said.push({ name, address, untilMs });
        for (const address of ADDRESSES)
          assert.deepEqual(
            new Set(kept.namesOf(address, nowMs)),
            new Set(
              said
                .filter((entry) => entry.address === address && entry.untilMs > nowMs)
                .map((entry) => entry.name),
            ),
          );
      }
    }),
    { seed: 8305, numRuns: 300 },
  );
});
