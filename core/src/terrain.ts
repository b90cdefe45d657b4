import { type Address, parseAddress, parseCidr } from "./address.ts";
import { LeadingOut, type LedOut } from "./leading-out.ts";
import { Ranges } from "./ranges.ts";
import { parseResolver } from "./resolver.ts";
import type { PolicySnapshot } from "./snapshot.ts";
import { specialRanges, unwrap } from "./special.ts";
import type { Target } from "./target.ts";

/** Where addresses lie: in special ranges, in the cluster, in public. */
export class Terrain {
  readonly #special: Ranges<undefined>;
  readonly #cluster: Ranges<undefined>;
  /** By port. */
  readonly #endpoints = new Map<number, Address[]>();
  readonly #leadingOut: LeadingOut;

  constructor({ cluster, resolvers }: Pick<PolicySnapshot, "cluster" | "resolvers">) {
    const { ranges, nodes, endpoints, leadingOut } = cluster;
    this.#leadingOut = new LeadingOut(leadingOut);
    this.#cluster = new Ranges(entries(ranges));
    this.#special = new Ranges([
      ...specialRanges().map((cidr) => [cidr, undefined] as const),
      ...entries(ranges),
      ...entries(nodes),
    ]);
    for (const { address, port } of endpoints) this.#addEndpoint(parseAddress(address), port);
    for (const text of resolvers) {
      const resolver = parseResolver(text);
      if (resolver) this.#addEndpoint(resolver.address, resolver.port);
    }
  }

  /** Undefined where the text is no address. */
  target(text: string): Target | undefined {
    const address = parseAddress(text);
    if (!address) return undefined;
    const meant = unwrap(address);
    return { address, meant, least: Math.max(0, this.#special.longest(meant)) };
  }

  /**
   * Of the cluster's own: pods, Services, the API server, the resolvers. By the very address, for what stands for one of
   * theirs elsewhere (NAT64, 6to4) is routed out of the cluster.
   */
  isCluster(to: Target, port: number): boolean {
    return this.#cluster.longest(to.address) >= 0 || this.#isEndpoint(to, port);
  }

  /** The Service that leads out of the cluster, where this is its cluster IP; what is the cluster's by name of address and port stays so. */
  leadsOut(to: Target, port: number): LedOut | undefined {
    const led = this.#leadingOut.at(to, port);
    return led && !this.#isEndpoint(to, port) ? led : undefined;
  }

  #isEndpoint({ address: { family, value } }: Target, port: number): boolean {
    const there = this.#endpoints.get(port);
    return there?.some((one) => one.family === family && one.value === value) ?? false;
  }

  #addEndpoint(address: Address | undefined, port: number): void {
    if (!address) return;
    const there = this.#endpoints.get(port);
    if (there) there.push(address);
    else this.#endpoints.set(port, [address]);
  }
}

function entries(texts: readonly string[]) {
  return texts.map((text) => {
    const cidr = parseCidr(text);
    if (cidr instanceof Error) throw cidr;
    return [cidr, undefined] as const;
  });
}
