import { type Address, parseAddress, parseCidr } from "./address.ts";
import { Clauses } from "./clauses.ts";
import { Ranges } from "./ranges.ts";
import type { Mode, PolicySnapshot } from "./snapshot.ts";
import { specialRanges, unwrap } from "./special.ts";
import type { Target } from "./target.ts";

/** A snapshot made ready for decisions: the same content, indexed. */
export class Policy {
  readonly mode: Mode;
  readonly namespace: string;
  readonly rules: Clauses;
  readonly baseline: Clauses;
  readonly deny: Clauses;
  readonly ceilings: readonly { readonly boundary: string; readonly allow: Clauses }[];
  /** All that can permit something: baseline, rules, ceilings. */
  readonly permitting: readonly Clauses[];
  /** Names that have to be kept resolved: opaque bytes carry none. */
  readonly tcpNames: readonly string[];
  readonly #special: Ranges<undefined>;
  readonly #cluster: Ranges<undefined>;
  /** By port. */
  readonly #endpoints = new Map<number, Address[]>();

  constructor(snapshot: PolicySnapshot) {
    const { ranges, nodes, endpoints } = snapshot.cluster;
    this.mode = snapshot.mode;
    this.namespace = snapshot.namespace;
    this.rules = new Clauses(snapshot.rules);
    this.baseline = new Clauses(snapshot.baseline);
    this.deny = new Clauses(snapshot.deny);
    this.ceilings = snapshot.ceilings.map(({ boundary, allow }) => ({
      boundary,
      allow: new Clauses(allow),
    }));
    this.permitting = [this.baseline, this.rules, ...this.ceilings.map(({ allow }) => allow)];
    this.tcpNames = [
      ...new Set([this.deny, ...this.permitting].flatMap((list) => list.tcpNames())),
    ];
    this.#cluster = rangesOf(ranges);
    this.#special = new Ranges([
      ...specialRanges().map((cidr) => [cidr, undefined] as const),
      ...[...ranges, ...nodes].map((text) => [cidrOf(text), undefined] as const),
    ]);
    for (const { address, port } of endpoints) this.#addEndpoint(parseAddress(address), port);
    for (const text of snapshot.resolvers) {
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
  isCluster({ address }: Target, port: number): boolean {
    if (this.#cluster.longest(address) >= 0) return true;
    const { family, value } = address;
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

/** `10.96.0.10`, `10.96.0.10:53` or `[fd00::a]:53`; undefined where it is none of these. */
export function parseResolver(text: string): { address: Address; port: number } | undefined {
  const [, bracketed, plain, port = "53"] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*))(?::(\d{1,5}))?$/.exec(
      text,
    ) ?? [];
  const address = parseAddress(bracketed ?? plain ?? "");
  return address && Number(port) > 0 && Number(port) < 65_536
    ? { address, port: Number(port) }
    : undefined;
}

function rangesOf(texts: readonly string[]): Ranges<undefined> {
  return new Ranges(texts.map((text) => [cidrOf(text), undefined] as const));
}

function cidrOf(text: string) {
  const cidr = parseCidr(text);
  if (cidr instanceof Error) throw cidr;
  return cidr;
}
