import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ACCEPTED,
  acceptedBoundary,
  acceptedRule,
  mayJudgeBoundary,
  mayJudgeRule,
} from "../../src/status/acceptance.ts";
import { budgetOf } from "../../src/status/effort.ts";
import { keepSums } from "../../src/status/keep-sums.ts";
import { boundaryOf, knownBoundary, knownRule, ruleOf, TestKnowledge } from "./objects.ts";

/** Entries of so many names at so many ports each. */
const list = (entries: number, names: number, ports: number) =>
  Array.from({ length: entries }, (_, i) => ({
    hosts: Array.from({ length: names }, (_, j) => `h${j}.of${i}.example`),
    ports: Array.from({ length: ports }, (_, k) => ({ port: 1_000 + k, protocol: "tls" })),
  }));
const over = (boundary: ReturnType<typeof boundaryOf>) => ({
  ...{ namespaces: 1, pods: 0, unlabelled: 0 },
  others: [{ boundary, namespaces: 1 }],
});

test("what is too large to be compared is said to be, at once, and is in force", () => {
  const rule = ruleOf("huge", { to: list(64, 100, 16) });
  const boundary = boundaryOf("huge", { deny: list(64, 100, 16), baseline: list(64, 100, 16) });
  const began = performance.now();
  const found = [
    acceptedRule(rule, [boundary]),
    acceptedBoundary(boundary, over(boundaryOf("other", { deny: list(64, 100, 16) }))),
  ];
  assert.ok(performance.now() - began < 10_000, "it takes the better part of a minute otherwise");
  for (const { status, reason } of found) assert.equal(`${status} ${reason}`, "True NotCompared");
});

test("a rule or boundary that waits for its turn is judged with the next, and costs nothing after", () => {
  const rules = ["a", "b"].map((name) => ruleOf(name, { to: list(2, 5, 1) }));
  const boundary = boundaryOf("ceiling", { allow: list(2, 5, 1), baseline: list(2, 5, 1) });
  const budget = () => budgetOf(150);
  const judge = (by = budget()) =>
    rules.map((rule) => {
      const may = mayJudgeRule(rule, [boundary], by);
      if (may) assert.equal(acceptedRule(rule, [boundary]), ACCEPTED);
      return may;
    });
  assert.deepEqual(
    [judge(), judge(), judge(budgetOf(0))],
    [
      [true, false],
      [true, true],
      [true, true],
    ],
  );
  const denies = over(boundaryOf("other", { deny: list(2, 5, 1) }));
  const spent = budget();
  assert.ok(spent.take(149));
  assert.equal(mayJudgeBoundary(boundary, denies.others, spent), false);
  assert.equal(mayJudgeBoundary(boundary, denies.others, budget()), true);
  assert.match(acceptedBoundary(boundary, denies).message, /boundary other denies it/);
  assert.equal(mayJudgeBoundary(boundary, denies.others, spent), true);
});

test("of many that cost much a few are judged in each look, and in the end all", async () => {
  const knowledge = new TestKnowledge();
  const large = { allow: list(64, 30, 1) };
  knowledge.boundaryList.push(knownBoundary(boundaryOf("ceiling", large)));
  for (let i = 0; i < 6; i++)
    knowledge.ruleList.push(knownRule(ruleOf(`r${i}`, { to: list(60, 20, 1) })));
  const written = new Set<string>();
  const sums = keepSums({
    ...{ knowledge, isGone: () => false, excluded: [] },
    pace: { countsMs: 0, soonMs: 0, burst: 100, perSecond: 100 },
    status: {
      apply: async ({ name }) => void written.add(name),
      read: async () => assert.fail("nothing is folded"),
      change: async () => assert.fail("nothing is folded"),
    },
  });
  await sums.look(0);
  const first = written.size;
  assert.ok(first > 0 && first < 7, `${first}`);
  for (let nowMs = 60_000; written.size < 7; nowMs += 60_000) {
    assert.ok(nowMs < 1_200_000, `never: ${[...written].join()}`);
    await sums.look(nowMs);
  }
});
