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
  assert.equal(cache.size, 0);
});

test("of too many names the least recently used is dropped", () => {
  const cache = new AnswerCache(2, 10);
  cache.set("a.test", { answer: answer(1), untilMs: 1_000 });
  cache.set("b.test", { answer: answer(1), untilMs: 1_000 });
  cache.get("a.test", 0);
  cache.set("c.test", { answer: answer(1), untilMs: 1_000 });
  assert.deepEqual(
    ["a.test", "b.test", "c.test"].map((name) => cache.get(name, 0) !== undefined),
    [true, false, true],
  );
});

test("an answer of very many addresses drops others, however few names there are", () => {
  const cache = new AnswerCache(10, 100);
  cache.set("a.test", { answer: answer(60), untilMs: 1_000 });
  cache.set("b.test", { answer: answer(60), untilMs: 1_000 });
  assert.equal(cache.get("a.test", 0), undefined);
  assert.equal(cache.get("b.test", 0)?.addresses.length, 60);
});

test("whatever is done to it, it agrees with a list searched from its end, and stays within its bounds", () => {
  const step = fc.record({
    do: fc.constantFrom("get", "set", "delete"),
    name: fc.constantFrom("a", "b", "c", "d", "e"),
    count: fc.nat(4),
    lifeMs: fc.nat(20),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const cache = new AnswerCache(3, 8);
      let model: { name: string; count: number; untilMs: number }[] = [];
      for (const [nowMs, { do: action, name, count, lifeMs }] of steps.entries()) {
        const found = model.find((entry) => entry.name === name);
        model = model.filter((entry) => entry !== found);
        if (action === "set") {
          cache.set(name, { answer: answer(count), untilMs: nowMs + lifeMs });
          model.push({ name, count, untilMs: nowMs + lifeMs });
          const total = () => model.reduce((sum, entry) => sum + entry.count, 0);
          while (model.length > 3 || total() > 8) model.shift();
        } else if (action === "get") {
          const live = found && found.untilMs > nowMs ? found : undefined;
          assert.equal(cache.get(name, nowMs)?.addresses.length, live?.count);
          if (live) model.push(live);
        } else {
          cache.delete(name);
        }
        assert.equal(cache.size, model.length);
      }
    }),
    { seed: 2308, numRuns: 500 },
  );
});
