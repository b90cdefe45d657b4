import { type Cidr, canonicalAddress, parseAddress, parseCidr } from "@sallyport/core/address";
import { Ranges } from "@sallyport/core/ranges";
import { aggregate } from "./aggregate.ts";
import type { NodeEntry, PodEntry, ServiceEntry, ServiceRangeEntry } from "./entries.ts";

/** Something that was found beside what is known of the cluster; the kind stays while the numbers in the text change. */
export interface Miss {
  readonly kind: string;
  readonly text: string;
}

export interface ClusterRanges {
  /** Of pods and Services, and single addresses that are in none of them. */
  readonly ranges: readonly string[];
  readonly misses: readonly Miss[];
  /** Whether an address is in one of the ranges proper, so that it changes nothing. */
  readonly holds: (address: string) => boolean;
}

export interface RangeSources {
  /** What the installation says. */
  readonly given: readonly string[];
  readonly serviceRanges: Iterable<ServiceRangeEntry>;
  readonly nodes: Iterable<NodeEntry>;
  readonly pods: Iterable<PodEntry>;
  readonly services: Iterable<ServiceEntry>;
}

/** Every snapshot has them all; a cluster with more says its ranges. */
export const MOST_SINGLE_ADDRESSES = 2_000;

/**
 * What the installation says, ServiceCIDRs and the nodes' pod ranges; then the addresses that pods and Services really have,
 * each by itself where it is in none of these. A range is never guessed from addresses: in many a cloud databases are pods'
 * neighbours.
 *
 * Before Kubernetes 1.33 there are no ServiceCIDRs. Where nothing else is said of Services either, each cluster IP by
 * itself is the whole truth, and no miss.
 */
export function clusterRanges(sources: RangeSources): ClusterRanges {
  const services = [...sources.services];
  const serviceRanges = [...sources.serviceRanges].flatMap(({ ranges }) => ranges);
  const proper = aggregate([
    ...sources.given,
    ...serviceRanges,
    ...[...sources.nodes].flatMap(({ podRanges }) => podRanges),
  ]);
  const holds = holdsAny(proper);
  const pods = strays(
    [...sources.pods].filter(({ hasEnded }) => !hasEnded),
    ({ addresses }) => addresses,
    holds,
  );
  const ips = strays(services, ({ clusterIps }) => clusterIps, holds);
  const isServiceRangeKnown =
    serviceRanges.length > 0 || services.some(({ clusterIps }) => clusterIps.some(holds));
  const tooMany = (count: number) => count > MOST_SINGLE_ADDRESSES;
  return {
    ranges: [...proper, ...pods.ranges, ...ips.ranges],
    misses: [
      ...missOf("pods", "running pods", pods),
      ...(isServiceRangeKnown || tooMany(ips.count) ? missOf("services", "Services", ips) : []),
    ],
    holds,
  };
}

/** For addresses as texts; what is no address is nowhere. */
export function holdsAny(texts: readonly string[]): (address: string) => boolean {
  const cidrs = texts.map(parseCidr).filter((cidr): cidr is Cidr => !(cidr instanceof Error));
  const index = new Ranges(cidrs.map((cidr) => [cidr, undefined] as const));
  return (text) => {
    const address = parseAddress(text);
    return address !== undefined && index.longest(address) >= 0;
  };
}

export function single(address: string): string {
  return `${address}/${address.includes(":") ? 128 : 32}`;
}

interface Strays {
  readonly ranges: readonly string[];
  readonly count: number;
  readonly example: string;
}

function strays<T extends { readonly namespace: string; readonly name: string }>(
  items: readonly T[],
  addressesOf: (item: T) => readonly string[],
  holds: (address: string) => boolean,
): Strays {
  const found = new Map<string, string>();
  for (const item of items)
    for (const text of addressesOf(item)) {
      const address = canonicalAddress(text);
      if (address !== undefined && !holds(address))
        found.set(address, `${item.namespace}/${item.name} has ${address}`);
    }
  const sorted = [...found.keys()].sort();
  return {
    ranges: sorted.slice(0, MOST_SINGLE_ADDRESSES).map(single),
    count: sorted.length,
    example: found.get(sorted[0] ?? "") ?? "",
  };
}

function missOf(kind: string, whose: string, { count, example, ranges }: Strays): Miss[] {
  if (count === 0) return [];
  const left = count - ranges.length;
  const meanwhile =
    left > 0
      ? `${ranges.length} of them count as the cluster's by themselves, ${left} do not`
      : "they count as the cluster's by themselves";
  const text =
    `addresses of ${whose} are in no known range of this cluster: ${count}, ${example} for instance: ` +
    `say the range in clusterCidrs; until then ${meanwhile}`;
  return [{ kind, text }];
}
