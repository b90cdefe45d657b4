import { canonicalAddress } from "@sallyport/core/address";
import type { Cluster } from "@sallyport/core/snapshot";
import { allottedAliases, allottedLeadingOut } from "./allotment.ts";
import { clusterRanges, holdsAny, type Miss, single } from "./cluster-ranges.ts";
import type {
  NodeEntry,
  PodEntry,
  ServiceEntry,
  ServiceRangeEntry,
  SliceEntry,
} from "./entries.ts";
import type { UnheardPod } from "./inquiry.ts";
import { leadingOut } from "./leading-out.ts";

/** What the watches have found of a cluster. */
export interface Found {
  readonly pods: Iterable<PodEntry>;
  readonly services: Iterable<ServiceEntry>;
  readonly slices: Iterable<SliceEntry>;
  readonly nodes: Iterable<NodeEntry>;
  readonly serviceRanges: Iterable<ServiceRangeEntry>;
  /** Addresses of pods that have gone a moment ago. */
  readonly gone?: Iterable<string>;
}

/** What the installation says of it. */
export interface Given {
  readonly cluster: Cluster;
  readonly resolvers: readonly string[];
}

export interface ClusterFacts {
  readonly cluster: Cluster;
  readonly resolvers: readonly string[];
  readonly misses: readonly Miss[];
  /** Whether an address, of a pod or of an endpoint, changes nothing of the facts by being there. */
  readonly isOrdinary: (address: string) => boolean;
  /** Endpoints outside that say to be pods: there may be news of these to come. */
  readonly unheard: readonly UnheardPod[];
}

/** The cluster as every snapshot has it: the same of the same knowledge, on whichever controller. */
export function clusterFacts(given: Given, found: Found): ClusterFacts {
  const [pods, services] = [[...found.pods], [...found.services].sort(byName)];
  const [nodes, slices] = [[...found.nodes], [...found.slices]];
  const { ranges, misses, holds } = clusterRanges({
    ...{ given: given.cluster.ranges, serviceRanges: found.serviceRanges },
    ...{ nodes, pods, services },
  });
  const nodeRanges = [
    ...given.cluster.nodes,
    ...nodes.flatMap(({ addresses }) => known(addresses).map(single)),
  ];
  const onNodes = holdsAny(nodeRanges);
  const podAddresses = new Set(
    known([...pods.flatMap(({ addresses }) => addresses), ...(found.gone ?? [])]),
  );
  const isInside = (address: string) =>
    holds(address) || onNodes(address) || podAddresses.has(canonicalAddress(address) ?? "");
  const leads = leadingOut(services, slices, isInside);
  const leading = allottedLeadingOut(leads);
  const aliases = allottedAliases(externalNames(services));
  const resolvers = given.resolvers.length > 0 ? given.resolvers : clusterDns(services);
  return {
    cluster: {
      ranges: [...new Set(ranges)],
      nodes: [...new Set(nodeRanges)].sort(),
      endpoints: unique([...given.cluster.endpoints, ...apiServer(services, slices)]),
      domain: given.cluster.domain,
      externalNames: withGiven(given.cluster.externalNames, aliases.within),
      leadingOut: withGiven(given.cluster.leadingOut, leading.within),
    },
    resolvers,
    misses: [
      ...misses,
      ...(resolvers.length > 0 ? [] : [NO_RESOLVER]),
      ...aliases.misses,
      ...leading.misses,
    ],
    isOrdinary: (address) => holds(address) || onNodes(address),
    unheard: leads.unheard,
  };
}

const NO_RESOLVER: Miss = {
  kind: "resolvers",
  text: "no resolver is known, and so no name can be permitted: there is no Service kube-system/kube-dns; say resolvers",
};

/** As every distribution calls it, whatever answers there (https://kubernetes.io/docs/tasks/administer-cluster/coredns/). */
function clusterDns(services: readonly ServiceEntry[]): string[] {
  const dns = services.find(({ namespace, name }) => `${namespace}/${name}` === CLUSTER_DNS);
  return known(dns?.clusterIps ?? []);
}
const CLUSTER_DNS = "kube-system/kube-dns";

/**
 * By its cluster IPs and by what is behind them. Of the slices only the one that the API server itself keeps: another that
 * names this Service could be anybody's who may write in `default`.
 */
function apiServer(services: readonly ServiceEntry[], slices: readonly SliceEntry[]) {
  const isIt = (object: { readonly namespace: string; readonly name: string }) =>
    object.namespace === "default" && object.name === "kubernetes";
  const found: { address: string; port: number }[] = [];
  for (const { clusterIps, ports } of services.filter(isIt))
    for (const address of known(clusterIps))
      for (const { port } of ports) found.push({ address, port });
  for (const { endpoints, ports } of slices.filter(isIt))
    for (const address of known(endpoints.map((each) => each.address)))
      for (const { port } of ports) if (port !== undefined) found.push({ address, port });
  return found.sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
}

function externalNames(services: readonly ServiceEntry[]): Cluster["externalNames"] {
  return services.flatMap(({ namespace, name, externalName }) =>
    externalName ? [{ namespace, name, externalName }] : [],
  );
}

/** What the cluster says of a Service counts before what the installation says. */
function withGiven<T extends { readonly namespace: string; readonly name: string }>(
  given: readonly T[],
  found: readonly T[],
): T[] {
  const there = new Set(found.map(({ namespace, name }) => `${namespace}/${name}`));
  return [...given.filter(({ namespace, name }) => !there.has(`${namespace}/${name}`)), ...found];
}

function known(addresses: readonly string[]): string[] {
  return addresses.map((text) => canonicalAddress(text)).filter((one) => one !== undefined);
}

function unique(endpoints: readonly { address: string; port: number }[]) {
  return [...new Map(endpoints.map((each) => [textOf(each), each])).values()];
}

function textOf({ address, port }: { readonly address: string; readonly port: number }): string {
  return `${address} ${port}`;
}

function byName(a: ServiceEntry, b: ServiceEntry): number {
  const [one, other] = [`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`];
  return one < other ? -1 : one > other ? 1 : 0;
}
