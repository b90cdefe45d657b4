import type { Clause, PolicySnapshot } from "@sallyport/core/snapshot";
import { formatClause } from "../fleet/differences.ts";
import type { PodPolicy } from "../fleet/pod-policy.ts";
import { count } from "../policy/amount.ts";
import { place as placeOf } from "../policy/finding.ts";

/** For a person. */
export function policyText(policy: PodPolicy): string[] {
  const { place, inForce } = policy;
  const { snapshot } = inForce;
  const name = `pod ${place.namespace}/${place.name}`;
  if (!snapshot)
    return [
      `${name}: nothing is permitted, its first policy has not come yet`,
      ...line("from", source(policy)),
      ...line("problem", inForce.problem),
    ];
  const { mode } = snapshot;
  return [
    `${name}: ${mode}, ${policy.modeFrom === undefined ? "who says so is not known" : `by ${policy.modeFrom}`}`,
    ...line("policy", inForce.revision && `revision ${inForce.revision}`),
    ...line("since", `${inForce.applied} (number ${inForce.version} since its sidecar started)`),
    ...line("from", source(policy)),
    ...line("problem", inForce.problem),
    ...agreement(policy),
    "",
    ...listLines("rules", "to", snapshot.rules, "none: only the baseline and the cluster's own"),
    ...listLines("baseline", "baseline", snapshot.baseline),
    ...listLines("deny", "deny", snapshot.deny),
    ...snapshot.ceilings.flatMap(({ boundary, allow }) =>
      listLines(`ceiling of boundary ${boundary}`, "allow", allow, "no rule counts"),
    ),
    ...clusterLines(snapshot),
  ];
}

const WIDTH = 10;

function line(label: string, text: string | undefined): string[] {
  return text === undefined ? [] : [`  ${label.padEnd(WIDTH)}${text}`];
}

function source({ inForce: { control } }: PodPolicy): string {
  if (!control) return "its own configuration";
  const { connected, since, problem } = control;
  const when = since === undefined ? "" : ` since ${since}`;
  if (connected) return `the controllers, connected${when}`;
  return `the controllers, not connected${when}${problem === undefined ? "" : `: ${problem}`}`;
}

function agreement({ differences, unsure, unusable }: PodPolicy): string[] {
  const told =
    differences === undefined
      ? `cannot be told: ${unsure}`
      : differences.length === 0
        ? "it is what the cluster's rules and boundaries give"
        : `it is not what the cluster's rules and boundaries give: ${count(differences.length, "difference")}`;
  return [
    ...line("compared", told),
    ...(differences ?? []).flatMap(({ where, inSidecar, onCluster }) => [
      `    ${where}`,
      `      sidecar  ${inSidecar ?? "has no such entry"}`,
      `      cluster  ${onCluster ?? "has no such entry"}`,
    ]),
    ...unusable.flatMap(({ subject, mistakes }) => [
      ...line("unusable", `${subject}: ${mistakes.join("; ")}`),
    ]),
  ];
}

function listLines(
  heading: string,
  list: string,
  clauses: readonly Clause[],
  empty?: string,
): string[] {
  if (clauses.length === 0) return empty === undefined ? [] : [`${heading}: ${empty}`];
  return [
    `${heading}:`,
    ...clauses.flatMap((clause) => [
      `  ${placeOf(clause.rule, list, clause.entry)}`,
      `    ${formatClause(clause)}`,
    ]),
  ];
}

function clusterLines({ cluster, resolvers }: PolicySnapshot): string[] {
  const parts = [
    ranges("pods and Services", cluster.ranges),
    ranges("nodes", cluster.nodes),
    count(cluster.endpoints.length, "endpoint"),
    count(cluster.externalNames.length, "ExternalName Service"),
    `${count(cluster.leadingOut.length, "Service")} with endpoints outside`,
  ];
  return [
    `cluster (${cluster.domain}):`,
    ...parts.map((part) => `  ${part}`),
    `resolvers: ${resolvers.length > 0 ? resolvers.join(", ") : "none"}`,
  ];
}

const SHOWN = 4;

function ranges(of: string, list: readonly string[]): string {
  const more = list.length > SHOWN ? ` and ${list.length - SHOWN} more` : "";
  return `${of}: ${list.length === 0 ? "no range" : `${list.slice(0, SHOWN).join(", ")}${more}`}`;
}

/** For a machine; docs/reference/cli-get.md describes it. */
export function policyJson({ place, inForce, ...policy }: PodPolicy) {
  const { snapshot, version, applied, revision, control, problem } = inForce;
  return {
    namespace: place.namespace,
    pod: place.name,
    mode: snapshot?.mode ?? null,
    mode_from: policy.modeFrom ?? null,
    ...{ version, applied },
    revision: revision ?? null,
    control: control ?? null,
    problem: problem ?? null,
    agrees: policy.differences ? policy.differences.length === 0 : null,
    unsure: policy.unsure ?? null,
    differences: (policy.differences ?? []).map(({ where, inSidecar, onCluster }) => ({
      where,
      in_sidecar: inSidecar ?? null,
      on_cluster: onCluster ?? null,
    })),
    unusable: policy.unusable,
    snapshot: snapshot ?? null,
  };
}
