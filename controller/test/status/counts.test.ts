import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReportRow } from "@sallyport/core/delivery";
import { appliedBy } from "../../src/status/applied.ts";
import { createLedger } from "../../src/status/ledger.ts";
import { foldOf, sumOf } from "../../src/status/sum.ts";
import {
  boundaryOf,
  compiledOf,
  knownBoundary,
  knownRule,
  podOf,
  ruleOf,
  TestFleet,
  TestKnowledge,
  tls443,
} from "./objects.ts";

const to = [{ hosts: ["a.example"], ports: tls443 }];

function row(more: Partial<ReportRow>): ReportRow {
  return {
    ...{ verdict: "allow", reason: "allowed.rule", port: 443, count: 1 },
    last: "2026-01-01T00:00:00Z",
    ...more,
  };
}

function shopAndBank() {
  const knowledge = new TestKnowledge();
  knowledge.namespaceMap.set("shop", { tier: "web" }).set("bank", {});
  knowledge.ruleList.push(
    knownRule(ruleOf("payments", { to })),
    knownRule(ruleOf("ledger", { to }, "bank")),
  );
  const overShop = { namespaceSelector: { matchLabels: { tier: "web" } }, baseline: to };
  knowledge.boundaryList.push(knownBoundary(boundaryOf("web", overShop)));
  return { knowledge, ledger: createLedger(knowledge) };
}

for (const [says, reported, uid, expected] of [
  ["what a rule permitted is its own", { rule: "shop/payments" }, "uid-shop-payments", [3, 0]],
  [
    "a refusal is the nearest rule's",
    { verdict: "deny", reason: "denied.no_rule", nearest: "shop/payments" },
    "uid-shop-payments",
    [0, 3],
  ],
  [
    "what is cut by a newer policy, too",
    { reason: "revoked", nearest: "shop/payments" },
    "uid-shop-payments",
    [0, 3],
  ],
  [
    "what a baseline permitted is the boundary's",
    { reason: "allowed.baseline", rule: "web" },
    "uid-web",
    [3, 0],
  ],
  [
    "what its deny list refused, too",
    { verdict: "deny", reason: "denied.boundary", rule: "web" },
    "uid-web",
    [0, 3],
  ],
  [
    "and what its ceiling did",
    { verdict: "deny", reason: "denied.ceiling", rule: "web", nearest: "shop/payments" },
    "uid-web",
    [0, 3],
  ],
  [
    "a ceiling's refusal is not its rule's",
    { verdict: "deny", reason: "denied.ceiling", rule: "web", nearest: "shop/payments" },
    "uid-shop-payments",
    [0, 0],
  ],
  [
    "a destination that failed is nobody's refusal",
    { verdict: "deny", reason: "failed.dns", nearest: "shop/payments" },
    "uid-shop-payments",
    [0, 0],
  ],
  [
    "what audit mode let pass is neither permitted nor refused",
    { reason: "allowed.audit", would_be: "denied.no_rule", nearest: "shop/payments" },
    "uid-shop-payments",
    [0, 0],
  ],
  [
    "a sidecar has nothing to say of another namespace's rule",
    { rule: "bank/ledger" },
    "uid-bank-ledger",
    [0, 0],
  ],
] as const)
  test(says, () => {
    const { ledger } = shopAndBank();
    ledger.add("shop", [row({ ...reported, count: 3 })]);
    const { allowed, refused } = ledger.of(uid);
    assert.deepEqual([allowed, refused], expected);
  });

test("nor of a boundary that is not over its namespace", () => {
  const { ledger } = shopAndBank();
  ledger.add("bank", [row({ verdict: "deny", reason: "denied.boundary", rule: "web" })]);
  assert.deepEqual(ledger.of("uid-web"), { allowed: 0, refused: 0 });
});

test("rules that there are not take no memory; one that is deleted is forgotten", () => {
  const { knowledge, ledger } = shopAndBank();
  ledger.add("shop", [row({ rule: "shop/payments" }), row({ rule: "shop/other" })]);
  assert.equal(ledger.of("uid-shop-payments").allowed, 1);
  const [payments] = knowledge.ruleList.splice(0, 1);
  ledger.refresh();
  ledger.add("shop", []);
  if (payments) knowledge.ruleList.push(payments);
  ledger.refresh();
  assert.equal(ledger.of("uid-shop-payments").allowed, 0);
});

test("whatever a sidecar says, counts stay numbers that everybody can read", () => {
  const { ledger } = shopAndBank();
  const most = row({ rule: "shop/payments", count: Number.MAX_SAFE_INTEGER });
  ledger.add("shop", [most]);
  assert.equal(ledger.of("uid-shop-payments").allowed, 1_000_000_000);
  for (let i = 0; i < 50; i++) ledger.add("shop", Array(200_000).fill(most));
  assert.equal(ledger.of("uid-shop-payments").allowed, Number.MAX_SAFE_INTEGER);
});

function applied(set: (fleet: TestFleet, knowledge: TestKnowledge) => void) {
  const knowledge = new TestKnowledge();
  knowledge.ruleList.push(knownRule(ruleOf("payments", { to }), { generation: 2 }));
  knowledge.boundaryList.push(knownBoundary(boundaryOf("web", {})));
  for (let i = 1; i <= 5; i++) knowledge.podList.push(podOf(`web-${i}`));
  const fleet = new TestFleet();
  set(fleet, knowledge);
  const generations = new Map(
    [...knowledge.ruleList, ...knowledge.boundaryList].map((one) => [one.uid, one.generation]),
  );
  return appliedBy(
    fleet.connected(),
    ({ pod }) => knowledge.of(pod)?.compiled,
    ({ uid, generation }) => generations.get(uid) === generation,
  );
}

test("a sidecar counts as having applied what it has of the newest generation, and is behind otherwise", () => {
  const result = applied((fleet, { podList, ruleList, boundaryList, of }) => {
    const older = compiledOf([
      ...ruleList.map((one) => ({ ...one, generation: 1 })),
      ...boundaryList,
    ]);
    podList.forEach((pod, i) => {
      if (i < 2) fleet.connect(pod, of(pod)?.compiled);
      else if (i === 2) fleet.connect(pod, older, { problem: "spec\nis \u001b[31modd" });
      else if (i === 3) fleet.connect(pod, undefined);
    });
  });
  assert.deepEqual(result.get("uid-shop-payments"), {
    ...{ appliedPods: 2, behindPods: 2 },
    behind: ["web-3 (cannot use it: spec is [31modd)", "web-4"],
  });
  assert.deepEqual(
    result.get("uid-web"),
    { appliedPods: 3, behindPods: 1, behind: [] },
    "a boundary names no pod",
  );
});

test("a change that leaves a pod's policy as it is counts as applied without being sent", () => {
  const result = applied((fleet, { podList, of }) => {
    const [pod] = podList;
    const wanted = pod && of(pod)?.compiled;
    if (!pod || !wanted) throw new Error("no pod");
    fleet.connect(pod, { ...compiledOf([]), revision: wanted.revision });
  });
  assert.equal(result.get("uid-shop-payments")?.appliedPods, 1);
});

const share = (name: string, appliedPods: number, allowed: number, refused: number) => ({
  ...{ name, appliedPods, allowed, refused },
});

test("sums are of all entries and of what is past; sidecars only of controllers that are there", () => {
  const status = {
    replicas: [
      { ...share("a", 2, 10, 1), behindPods: 1, behind: ["web-1"] },
      share("gone", 3, 5, 2),
      { ...share("b", 1, 7, 0), behindPods: 3, behind: ["web-2", "web-3", "web-4"] },
    ],
    past: { allowed: 100, refused: 0 },
  };
  assert.deepEqual(
    sumOf(status, (name) => name === "gone"),
    {
      ...{ allowed: 122, refused: 3, appliedPods: 3, behindPods: 4 },
      behind: ["web-1", "web-2", "web-3"],
    },
  );
  assert.deepEqual(
    sumOf(undefined, () => true),
    {
      ...{ allowed: 0, refused: 0, appliedPods: 0, behindPods: 0, behind: [] },
    },
  );
});

test("those that are gone are taken into the past in one change, from the end of the list on", () => {
  const status = { replicas: [share("x", 1, 1, 1), share("a", 1, 2, 2), share("y", 1, 4, 4)] };
  assert.deepEqual(
    foldOf(status, (name) => name !== "a"),
    [
      { op: "add", path: "/status/past", value: { allowed: 5, refused: 5 } },
      { op: "remove", path: "/status/replicas/2" },
      { op: "remove", path: "/status/replicas/0" },
    ],
  );
  assert.equal(
    foldOf(status, () => false),
    undefined,
  );
});
