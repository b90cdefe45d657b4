import assert from "node:assert/strict";
import { test } from "node:test";
import { demandsOf } from "../src/admission/demands.ts";
import { optionsFor } from "../src/admission/network.ts";
import { boundary } from "./boundaries.ts";
import { optionsOf } from "./pod-support.ts";

const FOUND = { resolvers: ["10.96.0.10"], ranges: ["10.96.0.0/16", "10.244.0.0/24"] };
const ENFORCED = { policy: { mode: "enforce" } } as const;
const AUDITED = { policy: { mode: "audit" } } as const;

test("a pod may ask the name server that the cluster has, and send UDP to the cluster's ranges", () => {
  const { resolvers, clusterCidrs } = optionsFor(optionsOf(ENFORCED), undefined, FOUND);
  assert.deepEqual([resolvers, clusterCidrs], [FOUND.resolvers, FOUND.ranges]);
});

test("resolvers that the installation names are all that there are; its ranges are among those that were found", () => {
  const told = optionsOf({ resolvers: ["169.254.20.10"], clusterCidrs: ["10.244.0.0/16"] });
  const { resolvers, clusterCidrs } = optionsFor(told, undefined, FOUND);
  assert.deepEqual(resolvers, ["169.254.20.10"]);
  assert.deepEqual(clusterCidrs, ["10.244.0.0/16", ...FOUND.ranges]);
});

test("where nothing was found the installation's word is all", () => {
  const { resolvers, clusterCidrs } = optionsFor(optionsOf(ENFORCED), undefined, undefined);
  assert.deepEqual([resolvers, clusterCidrs], [[], []]);
});

for (const [what, options, boundaries, expected] of [
  ["an installation that enforces", ENFORCED, [], "reject"],
  ["an installation that watches", AUDITED, [], "allow"],
  ["a boundary that enforces, in one that watches", AUDITED, [boundary("a", {})], "reject"],
  [
    "a boundary that watches, in one that enforces",
    ENFORCED,
    [boundary("a", { mode: "audit" })],
    "allow",
  ],
  [
    "whatever boundaries say, where the installation says it itself",
    { ...AUDITED, outsideUdp: "allow" },
    [boundary("a", {})],
    "allow",
  ],
] as const)
  test(`UDP to the outside: ${what}: ${expected}`, () => {
    const { outsideUdp } = optionsFor(optionsOf(options), demandsOf(boundaries), FOUND);
    assert.equal(outsideUdp, expected);
  });
