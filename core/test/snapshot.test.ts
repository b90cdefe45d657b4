import assert from "node:assert/strict";
import { test } from "node:test";
import { API_VERSION, EgressBoundary, EgressRule } from "../src/rules.ts";
import { Cluster, compile, type Installation } from "../src/snapshot.ts";
import { to } from "./cases.ts";

const pod = {
  namespace: "shop",
  labels: { app: "web" },
  namespaceLabels: { team: "front" },
};
const installation: Installation = {
  mode: "audit",
  cluster: Cluster.parse({}),
  resolvers: ["10.96.0.10"],
};
const everything = to("0.0.0.0/0 443 tcp");

function rule(name: string, namespace: string | undefined, selector?: object) {
  return EgressRule.parse({
    ...{ apiVersion: API_VERSION, kind: "EgressRule" },
    metadata: { name, ...(namespace && { namespace }) },
    spec: { ...(selector && { selector }), to: [everything, everything] },
  });
}

function boundary(name: string, namespaceSelector: object | undefined, lists: object) {
  return EgressBoundary.parse({
    ...{ apiVersion: API_VERSION, kind: "EgressBoundary", metadata: { name } },
    spec: { ...(namespaceSelector && { namespaceSelector }), ...lists },
  });
}

test("a pod is sent the rules of its namespace that select it, and no others", () => {
  const { rules, namespace } = compile(
    [
      rule("all", "shop"),
      rule("without-namespace", undefined),
      rule("web", "shop", { matchLabels: { app: "web" } }),
      rule("api", "shop", { matchLabels: { app: "api" } }),
      rule("foreign", "other"),
    ],
    [],
    pod,
    installation,
  );
  assert.equal(namespace, "shop");
  assert.deepEqual(
    rules.map(({ rule: name, entry }) => `${name} ${entry}`),
    [
      ...["shop/all 0", "shop/all 1", "shop/without-namespace 0", "shop/without-namespace 1"],
      ...["shop/web 0", "shop/web 1"],
    ],
  );
});

test("a pod is under the boundaries that select its namespace, and under no others", () => {
  const lists = { allow: [], deny: [everything], baseline: [everything], mode: "enforce" };
  const team = (name: string) => ({
    matchExpressions: [{ key: "team", operator: "In", values: [name] }],
  });
  const over = [
    boundary("all", undefined, { ...lists, mode: "audit" }),
    boundary("front", team("front"), { deny: [everything], mode: "audit" }),
  ];
  const others = [boundary("back", team("back"), lists)];
  const snapshot = compile([], [...over, ...others], pod, { ...installation, mode: "enforce" });
  assert.deepEqual(
    snapshot.deny.map(({ rule: name }) => name),
    ["all", "front"],
  );
  assert.deepEqual(
    snapshot.baseline.map(({ rule: name }) => name),
    ["all"],
  );
  assert.deepEqual(snapshot.ceilings, [{ boundary: "all", allow: [] }]);
  assert.equal(snapshot.mode, "audit");
});

test("a snapshot is plain data: JSON holds all of it", () => {
  const snapshot = compile(
    [rule("all", "shop")],
    [boundary("all", undefined, { allow: [everything] })],
    pod,
    installation,
  );
  assert.deepEqual(JSON.parse(JSON.stringify(snapshot)), snapshot);
});
