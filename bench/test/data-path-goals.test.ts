import assert from "node:assert/strict";
import { test } from "node:test";
import { judge } from "../src/data-path/goals.ts";
import { METRICS, type Measure } from "../src/data-path/measures.ts";
import { Results } from "../src/data-path/results.ts";

type Figures = Readonly<Record<string, number | Error>>;

function judged(...tables: readonly (readonly [Measure["metrics"][number], Figures])[]) {
  const results = new Results();
  for (const [metric, figures] of tables) {
    const measure: Measure = { group: "bulk", metrics: [metric], measure: async () => [] };
    for (const [contender, figure] of Object.entries(figures))
      results.add(measure, contender, figure instanceof Error ? figure : [figure]);
  }
  return judge(results.outcomes);
}

test("a goal asked of several metrics is judged by the worst of them", () => {
  const [goal, ...others] = judged(
    [METRICS.bulk("down", 1), { direct: 50, sallyport: 45 }],
    [METRICS.bulk("up", 8), { direct: 50, sallyport: 30 }],
  );
  assert.deepEqual(others, []);
  assert.equal(goal?.met, false);
  assert.deepEqual([goal.ours, goal.other, goal.ratio], [30, 50, 0.6]);
  assert.match(goal.where, /^up, 8 streams/);
});

for (const [what, ours, met] of [
  ["exactly as much", 0.3, true],
  ["a little more", 0.301, false],
] as const)
  test(`CPU a GB of ${what} than 0.3 of a peer's: ${met ? "met" : "missed"}`, () => {
    const [goal] = judged([METRICS.bulkCpu("up", 1), { nginx: 1, sallyport: ours }]);
    assert.equal(goal?.met, met);
  });

test("the best peer is the one with most connections a second, and the one with least CPU for each", () => {
  const [most, least] = judged(
    [METRICS.short, { sallyport: 10, envoy: 9, nginx: 12 }],
    [METRICS.shortCpu, { sallyport: 10, envoy: 9, nginx: 12 }],
  );
  assert.deepEqual([most?.other, most?.met], [12, false]);
  assert.deepEqual([least?.other, least?.met], [9, false]);
});

test("neither direct nor the bare server is anybody's peer", () => {
  assert.deepEqual(judged([METRICS.short, { direct: 20, sallyport: 10, "bare-net": 15 }]), []);
});

test("latency is judged by what is added to the direct way", () => {
  const [goal] = judged([METRICS.p50, { direct: 20, sallyport: 50, haproxy: 60, envoy: 80 }]);
  assert.deepEqual([goal?.ours, goal?.other, goal?.ratio, goal?.met], [30, 40, 0.75, true]);
});

test("private memory may be 12 MB above the bare server's, and no more", () => {
  const above = (ours: number) => judged([METRICS.private, { "bare-net": 9, sallyport: ours }]);
  assert.deepEqual([above(21)[0]?.met, above(21.1)[0]?.met], [true, false]);
});

test("nothing is judged by a figure that is not there: a peer that is absent or has failed, or our own", () => {
  assert.deepEqual(judged([METRICS.short, { sallyport: 10 }]), []);
  assert.deepEqual(judged([METRICS.short, { sallyport: 10, nginx: new Error("refused") }]), []);
  assert.deepEqual(judged([METRICS.short, { sallyport: new Error("refused"), nginx: 10 }]), []);
});
