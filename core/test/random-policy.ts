import { Policy } from "../src/policy.ts";
import type { Destination } from "../src/rules.ts";
import { Cluster, type Mode, type PolicySnapshot, SNAPSHOT_SCHEMA } from "../src/snapshot.ts";
import type { RandomLists } from "./random.ts";

export function snapshotFrom(
  random: RandomLists,
  extra: readonly Destination[] = [],
): PolicySnapshot {
  const { rules, baseline, deny, ceilings, cluster } = random;
  const clauses = (rule: string, list: readonly Destination[]) =>
    list.map((one, entry) => ({ rule, entry, ...one }));
  return {
    schema: SNAPSHOT_SCHEMA,
    mode: "enforce",
    namespace: "shop",
    rules: [...clauses("shop/rule", rules), ...clauses("shop/extra", extra)],
    baseline: clauses("guard", baseline),
    deny: clauses("guard", deny),
    ceilings: ceilings.map((list, i) => ({
      boundary: `guard-${i}`,
      allow: clauses(`guard-${i}`, list),
    })),
    cluster: { ...Cluster.parse({}), ...cluster },
    resolvers: ["10.96.0.10"],
  };
}

export function policyFrom(
  random: RandomLists,
  extra: readonly Destination[] = [],
  mode: Mode = "enforce",
): Policy {
  return new Policy({ ...snapshotFrom(random, extra), mode });
}
