import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AnswerCache } from "../../src/resolve/answer-cache.ts";

const answer = (count: number) => ({ addresses: Array<string>(count).fill("192.0.2.1") });

test("an answer is there until its time has come", () => {
  const cache = new AnswerCache(10, 10);
  cache.set("a.test", { answer: answer(1), untilMs: 1_000 });
  assert.deepEqual(cache.get("a.test", 999), answer(1));
  assert.equal(cache.get("a.test", 1_000), undefined);
});

test("of ten thousand names the newer half is always there, and a name in use as long as it is used", () => {
  const cache = new AnswerCache(10_000, 1_000_000);
  const untilMs = 1_000;
  cache.set("used.test", { answer: answer(1), untilMs });
  for (let i = 0; i < 40_000; i++) {
    cache.set(`n${i}.test`, { answer: answer(1), untilMs });
    assert.ok(cache.size <= 10_000);
    if (i % 1_000 === 0) assert.ok(cache.get("used.test", 0), `after ${i} others`);
  }
  for (let i = 36_000; i < 40_000; i++) assert.ok(cache.get(`n${i}.test`, 0), `n${i}.test`);
  assert.equal(cache.get("n0.test", 0), undefined);
});

test("answers of very many addresses drop others, however few names there are", () => {
  const cache = new AnswerCache(10, 100);
  for (const name of ["a.test", "b.test"]) cache.set(name, { answer: answer(60), untilMs: 1_000 });
  assert.equal(cache.get("a.test", 0), undefined);
  assert.equal(cache.get("b.test", 0)?.addresses.length, 60);
});

test("whatever is done to it, it never gives but the last answer, nor beyond its time, and stays within its bounds", () => {
  const step = fc.record({
    set: fc.boolean(),
    name: fc.constantFrom("a", "b", "c", "d", "e", "f"),
    count: fc.nat(4),
    lifeMs: fc.nat(20),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const cache = new AnswerCache(6, 12);
      const said = new Map<string, { count: number; untilMs: number }>();
      for (const [nowMs, { set, name, count, lifeMs }] of steps.entries()) {
        if (set) {
          cache.set(name, { answer: answer(count), untilMs: nowMs + lifeMs });
          said.set(name, { count, untilMs: nowMs + lifeMs });
        } else {
          const got = cache.get(name, nowMs);
          const last = said.get(name);
          if (got) assert.ok(last && last.untilMs > nowMs && got.addresses.length === last.count);
        }
        assert.ok(cache.size <= 6);
      }
    }),
    { seed: 2308, numRuns: 500 },
  );
});
