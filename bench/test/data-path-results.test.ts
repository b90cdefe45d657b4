import assert from "node:assert/strict";
import { test } from "node:test";
import type { Measure } from "../src/data-path/measures.ts";
import { figures, Results } from "../src/data-path/results.ts";
import { rotated } from "../src/data-path/rounds.ts";
import { number, results as tables } from "../src/data-path/tables.ts";

const measure: Measure = {
  group: "short",
  metrics: [
    { name: "rate", unit: "1/s" },
    { name: "cost", unit: "µs" },
  ],
  measure: async () => [],
};

test("a figure is the median of its runs, between the least and the most", () => {
  const results = new Results();
  for (const rate of [3, 1, 2]) results.add(measure, "nginx", [rate, undefined]);
  assert.deepEqual(figures(results.outcomes), [
    { metric: "rate", contender: "nginx", unit: "1/s", median: 2, min: 1, max: 3, runs: 3 },
  ]);
});

test("what has failed once has no figure, whatever the other runs gave, and the table says why", () => {
  const results = new Results();
  results.add(measure, "nginx", [1, 2]);
  results.add(measure, "nginx", new Error("connection refused"));
  results.add(measure, "nginx", [1, 2]);
  assert.equal(results.hasFailed(measure, "nginx"), true);
  assert.deepEqual(figures(results.outcomes), []);
  assert.match(
    tables([measure], results.outcomes, ["direct", "nginx"]),
    /nginx failed: connection refused/,
  );
});

test("where a metric means nothing for a contender, the table has a dash", () => {
  const results = new Results();
  results.add(measure, "direct", [1_234, undefined]);
  assert.match(tables([measure], results.outcomes, ["direct", "nginx"]), /^direct +1,234 +–$/m);
});

test("in each round another contender begins, and each has its turn", () => {
  assert.deepEqual(
    [0, 1, 2, 3].map((round) => rotated(["a", "b", "c"], round).join("")),
    ["abc", "bca", "cab", "abc"],
  );
  assert.deepEqual(rotated([], 2), []);
});

for (const [value, text] of [
  [0.1234, "0.12"],
  [12.34, "12.3"],
  [99.96, "100.0"],
  [12_345.6, "12,346"],
] as const)
  test(`${value} is shown as ${text}`, () => assert.equal(number(value), text));
