import assert from "node:assert/strict";
import { test } from "node:test";
import { serviceOf } from "@sallyport/cli/explain/known-answers";
import { differences, formatClause } from "@sallyport/cli/fleet/differences";
import { type Clause, Cluster, type PolicySnapshot } from "@sallyport/core/snapshot";

const clause = (rule: string, entry: number, host: string): Clause => ({
  ...{ rule, entry, hosts: [host], ports: [{ port: 443, protocol: "tls" }] },
});
const snapshot = (more: Partial<PolicySnapshot> = {}): PolicySnapshot => ({
  ...{ schema: 1, mode: "enforce", namespace: "shop", rules: [], baseline: [], deny: [] },
  ...{ ceilings: [], cluster: Cluster.parse({}), resolvers: [] },
  ...more,
});
const [a, b] = [clause("shop/a", 0, "a.example.com"), clause("shop/b", 0, "b.example.com")];

for (const [what, has, wants, expected] of [
  ["the same", snapshot({ rules: [a, b] }), snapshot({ rules: [a, b] }), []],
  ["the same in another order", snapshot({ rules: [a, b] }), snapshot({ rules: [b, a] }), []],
  ["a rule fewer", snapshot({ rules: [a] }), snapshot({ rules: [a, b] }), ["shop/b spec.to[0]"]],
  [
    "another host in it",
    snapshot({ rules: [a] }),
    snapshot({ rules: [clause("shop/a", 0, "x.example.com")] }),
    ["shop/a spec.to[0]"],
  ],
  ["another mode", snapshot({ mode: "audit" }), snapshot(), ["mode"]],
  [
    "a ceiling that allows nothing",
    snapshot(),
    snapshot({ ceilings: [{ boundary: "prod", allow: [] }] }),
    ["boundary prod spec.allow"],
  ],
  [
    "a deny where there was a baseline",
    snapshot({ baseline: [clause("prod", 0, "x.example.com")] }),
    snapshot({ deny: [clause("prod", 0, "x.example.com")] }),
    ["boundary prod spec.baseline[0]", "boundary prod spec.deny[0]"],
  ],
] as const)
  test(`what a sidecar has is compared with what it is to have: ${what}`, () => {
    assert.deepEqual(
      differences(has, wants).map(({ where }) => where),
      expected,
    );
  });

test("an entry in words", () => {
  assert.equal(
    formatClause({
      hosts: ["db.corp.internal"],
      cidrs: ["10.0.0.0/8"],
      ports: [
        { port: 5432, protocol: "tcp" },
        { port: 8000, endPort: 8010, protocol: "http" },
      ],
    }),
    "db.corp.internal within 10.0.0.0/8 on 5432 (tcp), 8000-8010 (http)",
  );
});

for (const [name, expected] of [
  ["cart", "shop/cart"],
  ["cart.bank", "bank/cart"],
  ["cart.bank.svc", "bank/cart"],
  ["cart.bank.svc.cluster.local", "bank/cart"],
  ["api.example.com", undefined],
  ["cart.bank.svc.example.com", undefined],
] as const)
  test(`in namespace shop ${name} is ${expected ?? "no Service's name"}`, () => {
    const service = serviceOf(name, "shop", "cluster.local");
    assert.equal(service && `${service.namespace}/${service.name}`, expected);
  });
