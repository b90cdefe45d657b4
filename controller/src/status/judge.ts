import type { Destination, EgressBoundary, EgressRule, Ports } from "@sallyport/core/rules";
import { type Labels, selects } from "@sallyport/core/selector";
import { couldMeet, entryOf, isCovered, type Place } from "./overlap.ts";

/** What of a rule or boundary cannot be as its author may think. */
export interface Problem {
  readonly code: "denied" | "outside_ceiling" | "no_pods" | "no_effect";
  /** Where: `spec.to[0].hosts[1]`. */
  readonly path: string;
  /** The boundary that does it. */
  readonly boundary?: string;
  /** A sentence. */
  readonly message: string;
}

export interface Judgement {
  readonly problems: readonly Problem[];
  /** Nothing that it permits is left by the boundaries. */
  readonly permitsNothing: boolean;
  /** Audit: what is refused passes, and is recorded. */
  readonly mode: "enforce" | "audit";
}

/**
 * What no pod may reach by a rule for the boundaries over its namespace, and whether it is for any pod at all (left out:
 * nobody asks). Pure, for status, `sallyport check` and whoever else wants to know.
 */
export function judge(
  rule: EgressRule,
  boundaries: readonly EgressBoundary[],
  pods?: Iterable<Labels>,
): Judgement {
  const problems: Problem[] = [];
  let open = 0;
  for (const [i, destination] of rule.spec.to.entries()) {
    const { places, ports } = entryOf(destination);
    for (const place of places) {
      const refusals = ports.map((each) => refusalOf(place, each, boundaries));
      open += refusals.filter((refusal) => !refusal).length;
      for (const [code, boundary, refused] of byRefusal(ports, refusals))
        problems.push({
          code,
          boundary,
          path: `spec.to[${i}].${place.path}`,
          message: `${place.text}, ${formatPorts(refused)}: ${SAYS[code](boundary)}`,
        });
    }
  }
  if (pods && !some(pods, (labels) => selects(rule.spec.selector, labels)))
    problems.push({
      code: "no_pods",
      path: rule.spec.selector ? "spec.selector" : "metadata.namespace",
      message: rule.spec.selector
        ? "no injected pod of the namespace has these labels"
        : "the namespace has no injected pod",
    });
  const modes = boundaries.map(({ spec }) => spec.mode);
  return {
    problems,
    permitsNothing: open === 0,
    mode: modes.length > 0 && !modes.includes("enforce") ? "audit" : "enforce",
  };
}

/** What of a boundary has no effect for another that is over some of the same namespaces; `others`: with how many of them. */
export function judgeBoundary(
  { metadata: { name }, spec }: EgressBoundary,
  others: readonly { readonly boundary: EgressBoundary; readonly namespaces: number }[],
): Problem[] {
  const all = [{ boundary: { metadata: { name }, spec }, namespaces: undefined }, ...others];
  const problems: Problem[] = [];
  for (const { boundary, namespaces } of all) {
    const other = boundary.metadata.name;
    const there =
      namespaces === undefined ? "" : ` (${countOf(namespaces, "namespace")} in common)`;
    for (const { path, text, ports } of deniedOf(spec.baseline, boundary.spec.deny))
      problems.push({
        code: "no_effect",
        boundary: other,
        path: `spec.baseline${path}`,
        message: `${text}, ${formatPorts(ports)}: ${other === name ? "it denies this itself" : `boundary ${other} denies it${there}`}`,
      });
    if (namespaces === undefined) continue;
    if (isApart(spec.allow, boundary.spec.allow))
      problems.push({
        code: "no_effect",
        boundary: other,
        path: "spec.allow",
        message: `it has nothing in common with what boundary ${other} allows${there}: no rule counts there`,
      });
    if (spec.mode === "audit" && boundary.spec.mode === "enforce")
      problems.push({
        code: "no_effect",
        boundary: other,
        path: "spec.mode",
        message: `audit has no effect where boundary ${other} enforces${there}`,
      });
  }
  return problems;
}

type Refusal = readonly [code: "denied" | "outside_ceiling", boundary: string];

const SAYS: { readonly [code in Refusal[0]]: (boundary: string) => string } = {
  denied: (boundary) => `boundary ${boundary} denies it`,
  outside_ceiling: (boundary) => `boundary ${boundary} allows nothing of it`,
};

function refusalOf(
  place: Place,
  ports: Ports,
  boundaries: readonly EgressBoundary[],
): Refusal | undefined {
  for (const { metadata, spec } of boundaries)
    if (spec.deny && isCovered(place, ports, spec.deny.map(entryOf)))
      return ["denied", metadata.name];
  for (const { metadata, spec } of boundaries)
    if (spec.allow && !spec.allow.some((each) => couldMeet(place, ports, entryOf(each))))
      return ["outside_ceiling", metadata.name];
  return undefined;
}

/** One for each boundary and way, with the ports that it is about. */
function byRefusal(ports: readonly Ports[], refusals: readonly (Refusal | undefined)[]) {
  const found = new Map<string, readonly [Refusal[0], string, Ports[]]>();
  refusals.forEach((refusal, i) => {
    const each = ports[i];
    if (!refusal || !each) return;
    const key = refusal.join(" ");
    const there = found.get(key);
    if (there) there[2].push(each);
    else found.set(key, [...refusal, [each]]);
  });
  return found.values();
}

function deniedOf(list: readonly Destination[] = [], deny: readonly Destination[] = []) {
  const denials = deny.map(entryOf);
  return list.flatMap((destination, i) => {
    const { places, ports } = entryOf(destination);
    return places.flatMap(({ path, ...place }) => {
      const refused = ports.filter((each) => isCovered({ path, ...place }, each, denials));
      return refused.length > 0
        ? [{ path: `[${i}].${path}`, text: place.text, ports: refused }]
        : [];
    });
  });
}

/** Two ceilings of which each would permit something, and both together nothing. */
function isApart(one: readonly Destination[] = [], other: readonly Destination[] = []): boolean {
  if (one.length === 0 || other.length === 0) return false;
  const entries = other.map(entryOf);
  return !one
    .map(entryOf)
    .some(({ places, ports }) =>
      places.some((place) =>
        ports.some((each) => entries.some((entry) => couldMeet(place, each, entry))),
      ),
    );
}

export function formatPorts(list: readonly Ports[]): string {
  const texts = list.map(
    ({ port, endPort, protocol }) => `${endPort ? `${port}-${endPort}` : port} (${protocol})`,
  );
  return `port${list.length > 1 || list[0]?.endPort ? "s" : ""} ${texts.join(", ")}`;
}

export function countOf(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function some<T>(items: Iterable<T>, test: (item: T) => boolean): boolean {
  for (const item of items) if (test(item)) return true;
  return false;
}
