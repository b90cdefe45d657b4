import assert from "node:assert/strict";
import { test } from "node:test";
import { conditionsOf, type Findings } from "../../src/status/conditions.ts";
import { findingsOfBoundary, findingsOfRule } from "../../src/status/findings.ts";
import { match } from "../../src/status/matching.ts";
import {
  boundaryOf,
  knownBoundary,
  knownRule,
  podOf,
  ruleOf,
  TestKnowledge,
  tls443,
} from "./objects.ts";

const to = [{ hosts: ["a.example"], ports: tls443 }];
const NONE = { appliedPods: 0, behindPods: 0, behind: [] };
const said = ({ Accepted, Ready }: Findings) =>
  [Accepted, Ready].map(({ status, reason, message }) => `${status} ${reason}: ${message}`);
const payments = knownRule(ruleOf("payments", { to }));

test("a rule that every pod has applied is accepted and ready", () => {
  assert.deepEqual(said(findingsOfRule(payments, [], 3, { ...NONE, appliedPods: 3 })), [
    "True Accepted: it is in force as it is",
    "True Applied: all 3 pods have applied it",
  ]);
});

for (const [says, rule, pods, applied, expected] of [
  [
    "of pods that have not, a few are named",
    payments,
    5,
    { appliedPods: 1, behindPods: 2, behind: ["web-1", "web-2 (cannot use it: odd)"] },
    "False Applying: 4 of 5 pods have not applied it: 2 connected and behind: web-1, web-2 (cannot use it: odd), 2 not connected to a controller",
  ],
  [
    "one that is missing is one",
    payments,
    1,
    NONE,
    "False Applying: 1 of 1 pod has not applied it: 1 not connected to a controller",
  ],
  [
    "a rule that matches nothing says so",
    knownRule(ruleOf("payments", { selector: { matchLabels: { app: "x" } }, to })),
    0,
    NONE,
    "False NoPods: no injected pod of namespace shop has the labels of spec.selector",
  ],
  [
    "a namespace without pods, too",
    payments,
    0,
    NONE,
    "False NoPods: namespace shop has no injected pod",
  ],
  [
    "more sidecars than pods, for a moment, are all of them",
    payments,
    2,
    { ...NONE, appliedPods: 3 },
    "True Applied: all 2 pods have applied it",
  ],
] as const)
  test(says, () => {
    assert.equal(said(findingsOfRule(rule, [], pods, applied))[1], expected);
  });

test("a rule that cannot be used says where, and whether an earlier one is in force", () => {
  const problem = 'spec.to[0].hosts[0]: "*" is no host';
  const poison = (more: object) =>
    said(findingsOfRule({ ...payments, problem, ...more }, [], 1, NONE));
  assert.deepEqual(poison({}), [
    `False Invalid: ${problem}; what it said before stays in force`,
    `False NotAccepted: ${problem}; what it said before stays in force`,
  ]);
  assert.match(
    poison({ object: undefined })[0] ?? "",
    /no earlier version of it is known.*permits nothing$/,
  );
});

test("a boundary that cannot be used says what becomes of its pods", () => {
  const web = knownBoundary(boundaryOf("web", {}), { problem: "spec.allow: odd" });
  const [accepted] = said(findingsOfBoundary({ ...web, object: undefined }, undefined, NONE));
  assert.match(
    accepted ?? "",
    /^False Invalid: spec.allow: odd; .*pods under it keep the policy that they have/,
  );
});

for (const [says, spec, expected] of [
  [
    "a boundary that leaves nothing of it",
    { allow: [] },
    /^False Refused: it permits nothing: spec\.to\[0\]\.hosts\[0\]: a\.example.*boundary b allows nothing of it$/,
  ],
  [
    "a boundary that only watches",
    { mode: "audit", allow: [] },
    /^True PartlyRefused: the boundaries audit, and would otherwise refuse: /,
  ],
  ["a boundary that leaves it", { allow: to }, /^True Accepted/],
] as const)
  test(`a rule under ${says}`, () => {
    const [accepted] = said(
      findingsOfRule(payments, [knownBoundary(boundaryOf("b", spec))], 1, NONE),
    );
    assert.match(accepted ?? "", expected);
  });

test("a rule of which nothing is left is not ready, though every pod has applied it", () => {
  const applied = { ...NONE, appliedPods: 1 };
  const nothing = [knownBoundary(boundaryOf("b", { allow: [] }))];
  assert.match(
    said(findingsOfRule(payments, nothing, 1, applied))[1] ?? "",
    /^False NotAccepted: it permits nothing: .*boundary b allows nothing of it$/,
  );
});

test("a rule of which a part is refused is accepted, and says which", () => {
  const rule = knownRule(ruleOf("r", { to: [...to, { hosts: ["b.example"], ports: tls443 }] }));
  const [accepted] = said(
    findingsOfRule(rule, [knownBoundary(boundaryOf("b", { allow: to }))], 1, NONE),
  );
  assert.match(
    accepted ?? "",
    /^True PartlyRefused: no pod may reach: spec\.to\[1\]\.hosts\[0\]: b\.example/,
  );
});

test("a boundary tells numbers of namespaces and pods, and no name of either", () => {
  const knowledge = new TestKnowledge();
  knowledge.namespaceMap
    .set("shop", { "sallyport.dev/injection": "all" })
    .set("bank", {})
    .set("kube-system", {});
  knowledge.podList.push(podOf("web-1"), podOf("web-2"), podOf("db-1", {}, "bank"));
  const required = knownBoundary(
    boundaryOf("everywhere", { injection: "required", mode: "audit" }),
  );
  const other = boundaryOf("shop-only", {
    namespaceSelector: { matchLabels: { "sallyport.dev/injection": "all" } },
  });
  knowledge.boundaryList.push(required, knownBoundary(other));
  const over = match(knowledge).boundaries.get(required.uid);
  assert.deepEqual(over && { ...over, others: over.others.length }, {
    ...{ namespaces: 3, pods: 3, unlabelled: 1, others: 1 },
  });
  const told = said(findingsOfBoundary(required, over, { ...NONE, appliedPods: 1 }));
  assert.deepEqual(told, [
    "True PartlyWithoutEffect: spec.mode: audit has no effect where boundary shop-only enforces (1 namespace in common); " +
      "spec.injection: 1 of its 3 namespaces lack the label sallyport.dev/injection, and pods there are not looked at",
    "False Applying: 2 of 3 pods have not applied it: 2 not connected to a controller",
  ]);
  assert.doesNotMatch(told.join(), /web-|bank|namespace shop\b/);
});

test("rules match the pods of their own namespace with their labels", () => {
  const knowledge = new TestKnowledge();
  const selector = { matchLabels: { app: "web" } };
  knowledge.ruleList.push(
    knownRule(ruleOf("some", { selector, to })),
    knownRule(ruleOf("all", { to })),
    knownRule(ruleOf("else", { to }, "bank")),
    knownRule(ruleOf("poison", { to }), { object: undefined }),
  );
  for (let i = 0; i < 3; i++) knowledge.podList.push(podOf(`web-${i}`, { app: "web" }));
  knowledge.podList.push(podOf("db", { app: "db" }));
  assert.deepEqual(Object.fromEntries(match(knowledge).rules), {
    ...{ "uid-shop-some": 3, "uid-shop-all": 4, "uid-bank-else": 0 },
  });
});

test("a condition keeps its time until its status is another", () => {
  const finding = (status: "True" | "False", message: string): Findings => ({
    Accepted: { status, reason: "R", message },
    Ready: { status: "True", reason: "R", message },
  });
  const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second, 500));
  const first = conditionsOf(finding("True", "one"), undefined, 1, at(1));
  const second = conditionsOf(finding("True", "two"), first, 2, at(2));
  const third = conditionsOf(finding("False", "three"), second, 2, at(3));
  assert.deepEqual(
    [first, second, third].map((conditions) =>
      conditions.map(({ type, status, lastTransitionTime, observedGeneration }) => [
        ...[type, status, lastTransitionTime.slice(-4), observedGeneration],
      ]),
    ),
    [
      [
        ["Accepted", "True", ":01Z", 1],
        ["Ready", "True", ":01Z", 1],
      ],
      [
        ["Accepted", "True", ":01Z", 2],
        ["Ready", "True", ":01Z", 2],
      ],
      [
        ["Accepted", "False", ":03Z", 2],
        ["Ready", "True", ":01Z", 2],
      ],
    ],
  );
});
