import type { Cluster } from "@sallyport/core/snapshot";
import type { Miss } from "./cluster-ranges.ts";

type Alias = Cluster["externalNames"][number];
type LeadingOut = Cluster["leadingOut"][number];

/** Every sidecar of the cluster has these of every namespace: no namespace makes everybody's too large. */
export const MOST_OF_A_NAMESPACE = { aliases: 500, endpoints: 2_000 } as const;

interface Allotted<T> {
  readonly within: T[];
  readonly misses: Miss[];
}

/** In the order given. What is beyond stands for nothing, and is judged by its own name. */
export function allottedAliases(aliases: readonly Alias[]): Allotted<Alias> {
  const { within, beyond } = divide(aliases, MOST_OF_A_NAMESPACE.aliases, () => 1);
  const what = `Services of type ExternalName than the ${MOST_OF_A_NAMESPACE.aliases} that count`;
  return { within, misses: missOf("aliases", what, beyond) };
}

/** What is beyond leads nowhere: it is not taken for one that stays in the cluster. */
export function allottedLeadingOut(leads: {
  readonly services: readonly LeadingOut[];
  /** Of these not even the endpoints are known. */
  readonly tooLarge: readonly LeadingOut[];
}): Allotted<LeadingOut> {
  const { within, beyond } = divide(leads.services, MOST_OF_A_NAMESPACE.endpoints, ({ ports }) =>
    ports.reduce((sum, { endpoints }) => sum + endpoints.length, 0),
  );
  const nowhere = [...beyond.map((each) => ({ ...each, ports: [] })), ...leads.tooLarge];
  const what = `endpoints of Services that lead out than the ${MOST_OF_A_NAMESPACE.endpoints} that count`;
  return { within: [...within, ...nowhere], misses: missOf("endpoints", what, nowhere) };
}

function divide<T extends { readonly namespace: string }>(
  list: readonly T[],
  most: number,
  weightOf: (item: T) => number,
) {
  const spent = new Map<string, number>();
  const [within, beyond]: [T[], T[]] = [[], []];
  for (const item of list) {
    const sum = (spent.get(item.namespace) ?? 0) + weightOf(item);
    if (sum <= most) spent.set(item.namespace, sum);
    (sum <= most ? within : beyond).push(item);
  }
  return { within, beyond };
}

function missOf(
  kind: string,
  what: string,
  beyond: readonly { readonly namespace: string; readonly name: string }[],
): Miss[] {
  const [first] = beyond;
  if (!first) return [];
  const text = `namespace ${first.namespace} has more ${what}: connections to ${beyond.length} Services, ${first.namespace}/${first.name} for instance, are refused`;
  return [{ kind, text }];
}
