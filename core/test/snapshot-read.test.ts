import assert from "node:assert/strict";
import { test } from "node:test";
import { covers } from "@sallyport/core/delivery";
import { PolicySource, snapshotOf } from "@sallyport/core/policy-source";
import { PolicySnapshot } from "@sallyport/core/snapshot";
import * as z from "zod";

const to = [
  {
    hosts: ["*.example.com"],
    cidrs: ["10.1.0.0/16"],
    ports: [{ port: 443, endPort: 444, protocol: "tls" as const }],
  },
];
const apiVersion = "sallyport.dev/v1alpha1";
const FULL = snapshotOf(
  PolicySource.parse({
    mode: "enforce",
    pod: { namespace: "shop" },
    rules: [{ apiVersion, kind: "EgressRule", metadata: { name: "web" }, spec: { to } }],
    boundaries: [
      {
        apiVersion,
        kind: "EgressBoundary",
        metadata: { name: "platform" },
        spec: { allow: to, deny: to, baseline: to },
      },
    ],
    cluster: {
      ranges: ["10.96.0.0/12"],
      nodes: ["192.168.0.0/24"],
      endpoints: [{ address: "192.168.0.1", port: 6_443 }],
      externalNames: [{ namespace: "shop", name: "api", externalName: "api.example.com" }],
    },
    resolvers: ["10.96.0.10"],
  }),
);

test("what is compiled is read as it was, through JSON", () => {
  assert.deepEqual(PolicySnapshot.parse(JSON.parse(JSON.stringify(FULL))), FULL);
});

// biome-ignore lint/suspicious/noExplicitAny: what arrives may be anything
type Any = any;

for (const [what, spoil, path] of [
  ["of another schema", (s: Any) => (s.schema = 2), /expected 1, the schema.*\n.*at schema/],
  ["with a key that is not known", (s: Any) => (s.quota = 1), /Unrecognized key: "quota"/],
  ["with one in a clause", (s: Any) => (s.deny[0].methods = ["GET"]), /at deny\[0\]/],
  [
    "with one in a port",
    (s: Any) => (s.ceilings[0].allow[0].ports[0].path = "/"),
    /at ceilings\[0\]\.allow\[0\]\.ports\[0\]/,
  ],
  ["with one in the cluster", (s: Any) => (s.cluster.mesh = {}), /at cluster/],
  ["without a list", (s: Any) => delete s.deny, /at deny/],
  [
    "with a CIDR that is none",
    (s: Any) => (s.rules[0].cidrs = ["10.1.2.3/16"]),
    /at rules\[0\]\.c/,
  ],
  [
    "with a wildcard for opaque bytes",
    (s: Any) => (s.baseline[0].ports[0].protocol = "tcp"),
    /at baseline\[0\]\.ports\[0\]\.protocol/,
  ],
  ["with a resolver that is none", (s: Any) => s.resolvers.push("dns"), /at resolvers\[1\]/],
] as const)
  test(`a snapshot ${what} is refused, and the place is named`, () => {
    const spoilt = structuredClone(FULL);
    spoil(spoilt);
    const { error } = PolicySnapshot.safeParse(spoilt);
    assert.ok(error);
    assert.match(z.prettifyError(error), path);
  });

for (const [newer, older, expected] of [
  [{ rules: "10", pods: "9" }, { rules: "9", pods: "9" }, true],
  [{ rules: "10", pods: "8" }, { rules: "9", pods: "9" }, false],
  [{ rules: "10" }, { rules: "9", pods: "9" }, false],
  [{ rules: "10", pods: "9" }, {}, true],
  // Beyond what a double can tell apart.
  [{ rules: "9007199254740992" }, { rules: "9007199254740993" }, false],
] as const)
  test(`what was made from ${JSON.stringify(newer)} ${expected ? "covers" : "does not cover"} ${JSON.stringify(older)}`, () => {
    assert.equal(covers(newer, older), expected);
  });
