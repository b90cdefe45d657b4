import assert from "node:assert/strict";
import { test } from "node:test";
import type { Measure, Metric } from "../src/data-path/measures.ts";
import { Results } from "../src/data-path/results.ts";
import { judge } from "../src/http/goals.ts";
import { METRICS } from "../src/http/measures.ts";

type Figures = Readonly<Record<string, number>>;

function judged(...tables: readonly (readonly [Metric, Figures])[]) {
  const results = new Results();
  for (const [metric, figures] of tables) {
    const measure: Measure = { group: "requests", metrics: [metric], measure: async () => [] };
    for (const [contender, figure] of Object.entries(figures))
      results.add(measure, contender, [figure]);
  }
  return judge(results.outcomes);
}

for (const [metric, factor] of [
  [METRICS.kept("plain", "get", 16), 0.85],
  [METRICS.kept("plain", "post", 16), 0.85],
  [METRICS.kept("tls", "get", 16), 0.7],
  [METRICS.closed("plain"), 0.75],
  [METRICS.large("plain", "down"), 1],
  [METRICS.large("plain", "up"), 1],
] as const)
  test(`${metric.name}: ${factor} of nginx's is met, a little less is missed`, () => {
    const [exactly] = judged([metric, { nginx: 100, haproxy: 500, sallyport: factor * 100 }]);
    const [less] = judged([metric, { nginx: 100, haproxy: 1, sallyport: factor * 100 - 1 }]);
    assert.deepEqual([exactly?.met, less?.met], [true, false]);
  });

test("keep-alive is judged by the number of connections at which we do worst", () => {
  const [goal, ...others] = judged(
    [METRICS.kept("plain", "get", 1), { nginx: 10, sallyport: 8 }],
    [METRICS.kept("plain", "get", 16), { nginx: 40, sallyport: 40 }],
  );
  assert.deepEqual(others, []);
  assert.deepEqual([goal?.ratio, goal?.met], [0.8, false]);
  assert.match(goal?.where ?? "", /^GET, 1 connections/);
});

test("CPU a request is judged by the dearest kind of request that keeps it busy, not by a ratio", () => {
  const [goal] = judged(
    [METRICS.keptCpu("plain", "get", 1), { nginx: 60, sallyport: 77 }],
    [METRICS.keptCpu("plain", "get", 16), { nginx: 20, sallyport: 25 }],
    [METRICS.keptCpu("plain", "post", 16), { nginx: 20, sallyport: 31 }],
  );
  assert.deepEqual([goal?.ours, goal?.other, goal?.ratio, goal?.met], [31, 30, undefined, false]);
});

test("what was not measured is not judged", () => {
  assert.deepEqual(judged([METRICS.closed("plain"), { nginx: 10 }]), []);
  assert.deepEqual(judged([METRICS.closed("plain"), { "sallyport-unlogged": 10, nginx: 10 }]), []);
});
