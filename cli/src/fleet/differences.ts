import type { EgressBoundary, EgressRule } from "@sallyport/core/rules";
import { type Labels, selects } from "@sallyport/core/selector";
import {
  type Clause,
  compile,
  type Mode,
  type PodIdentity,
  type PolicySnapshot,
} from "@sallyport/core/snapshot";

/** What the API server has that decides about one pod. */
export interface OnCluster {
  readonly pod: PodIdentity;
  readonly rules: readonly EgressRule[];
  readonly boundaries: readonly EgressBoundary[];
  /** Where no boundary says it; undefined where that is not known. */
  readonly defaultMode: Mode | undefined;
}

/** What the rules and boundaries make of a pod; of the cluster itself the sidecar's own word is taken. */
export function expected(
  { pod, rules, boundaries, defaultMode }: OnCluster,
  inForce: PolicySnapshot,
): PolicySnapshot {
  const { cluster, resolvers } = inForce;
  const mode = defaultMode ?? inForce.mode;
  return compile(rules, boundaries, pod, { mode, cluster, resolvers });
}

export interface Difference {
  /** `mode`, or where the entry stands: `shop/web spec.to[0]`, `boundary prod spec.deny[1]`. */
  readonly where: string;
  /** Undefined: it has none such. */
  readonly inSidecar: string | undefined;
  readonly onCluster: string | undefined;
}

/** In what the policy in force is another than it would be; none where it is the same. */
export function differences(inForce: PolicySnapshot, wanted: PolicySnapshot): Difference[] {
  const [has, wants] = [entriesOf(inForce), entriesOf(wanted)];
  const places = new Set([...has.keys(), ...wants.keys()]);
  return [...places]
    .filter((where) => has.get(where) !== wants.get(where))
    .map((where) => ({ where, inSidecar: has.get(where), onCluster: wants.get(where) }));
}

/** Each entry in words, by its place; in a list their order means nothing. */
function entriesOf({ mode, rules, baseline, deny, ceilings }: PolicySnapshot): Map<string, string> {
  const lists = [
    ...rules.map((clause) => [`${clause.rule} spec.to[${clause.entry}]`, clause] as const),
    ...[baseline, deny].flatMap((list, i) =>
      list.map((clause) => [placeIn(clause, i === 0 ? "baseline" : "deny"), clause] as const),
    ),
    ...ceilings.flatMap(({ allow }) =>
      allow.map((clause) => [placeIn(clause, "allow"), clause] as const),
    ),
  ];
  return new Map([
    ["mode", mode],
    ...ceilings.map(
      ({ boundary, allow }) =>
        [`boundary ${boundary} spec.allow`, allow.length > 0 ? "a ceiling" : "no rule"] as const,
    ),
    ...lists.map(([where, clause]) => [where, formatClause(clause)] as const),
  ]);
}

function placeIn({ rule, entry }: Clause, list: string): string {
  return `boundary ${rule} spec.${list}[${entry}]`;
}

/** `api.example.com within 10.0.0.0/8 on 443 (tls), 8000-8010 (http)` */
export function formatClause({ hosts, cidrs, ports }: Omit<Clause, "rule" | "entry">): string {
  const where = [hosts?.join(", "), cidrs?.join(", ")].filter((part) => part !== undefined);
  const on = ports.map(
    ({ port, endPort, protocol }) =>
      `${endPort === undefined ? port : `${port}-${endPort}`} (${protocol})`,
  );
  return `${where.join(" within ")} on ${on.join(", ")}`;
}

/** Those over a namespace of these labels. */
export function boundariesOver(
  boundaries: readonly EgressBoundary[],
  namespaceLabels: Labels,
): readonly EgressBoundary[] {
  return boundaries.filter(({ spec }) => selects(spec.namespaceSelector, namespaceLabels));
}
