import { type Cidr, parseCidr } from "./address.ts";
import {
  inPorts,
  namingPorts,
  opaquePorts,
  portSet,
  portsOf,
  spokenPorts,
} from "./clause-ports.ts";
import { type Host, HostIndex } from "./host-index.ts";
import { formatHostPattern, parseHostPattern } from "./hostname.ts";
import type { PortSet } from "./ports.ts";
import { Ranges } from "./ranges.ts";
import type { Ports } from "./rules.ts";
import type { Clause } from "./snapshot.ts";
import { cidrReaches, holds, type Target } from "./target.ts";

/** One address, and what is known of a connection to it. */
export interface Candidate {
  readonly to: Target;
  readonly port: number;
  /** What is spoken; `https` is HTTP to leave as TLS, or not at all. Undefined where nobody has looked. */
  readonly protocol?: string | undefined;
  /** The name that the app gave, or what that stands for, where our own answers for it hold this address. */
  readonly name?: string;
  /** The name that the app gave, where `name` is what it stands for: it permits nothing, and may be denied. */
  readonly alias?: string | undefined;
  /** The app gave a sound name, so that TLS could be verified for it. */
  readonly isNamed?: boolean;
  /** Names with `tcp` whose answers hold this address. */
  readonly known: readonly string[];
}

export interface Match {
  readonly clause: Clause;
  /** The host or CIDR that did it, as written. */
  readonly what: string;
  readonly ports: Ports;
}

interface Range {
  readonly clause: Clause;
  readonly what: string;
}

/** A list of clauses, indexed: a look-up costs about the same for ten and for ten thousand. */
export class Clauses {
  readonly #hosts = new HostIndex();
  /** The clauses without hosts. */
  readonly #ranges: Ranges<Range>;
  /** The clauses with both, by their CIDRs. */
  readonly #namedRanges: Ranges<Clause>;
  readonly #ports: PortSet;
  /** Of names, but for those with `tcp`. */
  readonly #namedPorts: PortSet;
  /** The same, of those without CIDRs. */
  readonly #anywherePorts: PortSet;
  readonly #tcpPorts: PortSet;
  readonly #tcpNames: { readonly ports: Ports; readonly names: readonly string[] }[] = [];

  constructor(clauses: readonly Clause[]) {
    const ranges: [Cidr, Range][] = [];
    const namedRanges: [Cidr, Clause][] = [];
    for (const clause of clauses) {
      const cidrs = clause.cidrs?.map((text) => [must(parseCidr(text)), text] as const) ?? [];
      if (clause.hosts) {
        this.#addHosts(clause, clause.hosts, clause.cidrs && new Ranges(cidrs));
        for (const [cidr] of cidrs) namedRanges.push([cidr, clause]);
      } else {
        for (const [cidr, what] of cidrs) ranges.push([cidr, { clause, what }]);
      }
    }
    this.#ranges = new Ranges(ranges);
    this.#namedRanges = new Ranges(namedRanges);
    const named = clauses.filter(({ hosts }) => hosts);
    const anywhere = named.filter(({ cidrs }) => !cidrs);
    this.#ports = portSet(clauses, () => true);
    this.#namedPorts = portSet(named, ({ protocol }) => protocol !== "tcp");
    this.#anywherePorts = portSet(anywhere, ({ protocol }) => protocol !== "tcp");
    this.#tcpPorts = portSet(named, ({ protocol }) => protocol === "tcp");
  }

  /** What allows this address: a name that leads there, or a range that reaches it. */
  permits({ to, port, protocol, name, known }: Candidate): Match | undefined {
    if (name !== undefined) {
      const match = this.#hosts.find(name, (host) => {
        const ports = spokenPorts(host.clause, port, protocol);
        return ports && reaches(host, to) ? matchOf(host, ports) : undefined;
      });
      if (match) return match;
    }
    for (const each of known) {
      const match = this.#hosts.findExact(each, (host) => {
        const ports = opaquePorts(host.clause, port, protocol);
        return ports && reaches(host, to) ? matchOf(host, ports) : undefined;
      });
      if (match) return match;
    }
    return this.#atAddress(to, (cidr, { clause, what }) => {
      if (!cidrReaches(cidr, to)) return undefined;
      const ports = opaquePorts(clause, port, protocol) ?? spokenPorts(clause, port, protocol);
      return ports && { clause, what, ports };
    });
  }

  /**
   * What refuses this address. A denial is read as widely as a permission is narrowly: whatever is spoken, and CIDRs
   * hold special ranges as any other.
   */
  covers({ to, port, name, alias, known }: Candidate): Match | undefined {
    const refuse = (host: Host) => {
      const ports = portsOf(host.clause, port);
      return ports && (!host.within || holds(host.within, to)) ? matchOf(host, ports) : undefined;
    };
    const named = name === undefined ? undefined : this.#hosts.find(name, refuse);
    if (named) return named;
    const given = alias === undefined ? undefined : this.#hosts.find(alias, refuse);
    if (given) return given;
    for (const each of known) {
      const kept = this.#hosts.findExact(each, refuse);
      if (kept) return kept;
    }
    return this.#atAddress(to, (_, { clause, what }) => {
      const ports = portsOf(clause, port);
      return ports && { clause, what, ports };
    });
  }

  /** Whether an app's name counts on this port for what is spoken; for anything where that is left out. */
  speaksOf(name: string, port: number, protocol?: string): boolean {
    return (
      this.#hosts.find(name, ({ clause }) => namingPorts(clause, port, protocol)) !== undefined
    );
  }

  /** Whether anything is said of this port. */
  on(port: number): boolean {
    return this.#ports.has(port);
  }

  /** Whether the app's names are spoken of on this port. */
  namesOn(port: number): boolean {
    return this.#namedPorts.has(port);
  }

  /** Whether they are for this very address. */
  namesAt(to: Target, port: number): boolean {
    if (!this.namesOn(port)) return false;
    if (this.#anywherePorts.has(port)) return true;
    const names = (_: Cidr, clause: Clause) => namingPorts(clause, port);
    return (
      (this.#namedRanges.find(to.meant, names) ?? this.#namedRanges.find(to.address, names)) !==
      undefined
    );
  }

  /** Whether a range would permit this address, were the right protocol spoken. */
  protocolsAt(to: Target, port: number): boolean {
    const reached = this.#atAddress(to, (cidr, { clause }) =>
      cidrReaches(cidr, to) ? portsOf(clause, port) : undefined,
    );
    return reached !== undefined;
  }

  /** Whether names are matched on this port by their addresses alone. */
  tcpNamesOn(port: number): boolean {
    return this.#tcpPorts.has(port);
  }

  /** Whether one of these names is. */
  keeps(known: readonly string[], port: number): boolean {
    return known.some((name) =>
      this.#hosts.findExact(name, ({ clause }) => opaquePorts(clause, port)),
    );
  }

  /** Names that are matched by their addresses alone, which have to be known ahead; on one port or on all. */
  tcpNames(port?: number): string[] {
    if (port !== undefined && !this.#tcpPorts.has(port)) return [];
    return this.#tcpNames
      .filter(({ ports }) => port === undefined || inPorts(ports, port))
      .flatMap(({ names }) => names);
  }

  /** The host closest to a name: one that names it, on this port if any does, or else the wildcard above that does not. */
  nearestHost(name: string, port: number): Host | undefined {
    return (
      this.#hosts.find(name, (host) => (portsOf(host.clause, port) ? host : undefined)) ??
      this.#hosts.find(name, (host) => host) ??
      this.#hosts.wildcardOf(name)
    );
  }

  /** The innermost range that holds the address, on this port if any does, whether or not it reaches it. */
  nearestRange(to: Target, port: number): Range | undefined {
    return (
      this.#atAddress(to, (_, range) => (portsOf(range.clause, port) ? range : undefined)) ??
      this.#atAddress(to, (_, range) => range)
    );
  }

  /** A host that is matched by its addresses alone on this port, for an example. */
  tcpHostOn(port: number): Host | undefined {
    const [name] = this.tcpNames(port);
    return name === undefined
      ? undefined
      : this.#hosts.findExact(name, (host) => (opaquePorts(host.clause, port) ? host : undefined));
  }

  /** By the address that it stands for, then by itself; whichever `pick` first makes something of. */
  #atAddress<R>(
    { address, meant }: Target,
    pick: (cidr: Cidr, range: Range) => R | undefined,
  ): R | undefined {
    const found = this.#ranges.find(meant, pick);
    if (found !== undefined || meant === address) return found;
    return this.#ranges.find(address, pick);
  }

  #addHosts(clause: Clause, hosts: readonly string[], within: Ranges<string> | undefined): void {
    const patterns = hosts.map((text) => must(parseHostPattern(text)));
    for (const pattern of patterns) this.#hosts.add({ clause, pattern, within });
    for (const ports of clause.ports)
      if (ports.protocol === "tcp")
        this.#tcpNames.push({ ports, names: patterns.map(({ name }) => name) });
  }
}

/** A name alone leads to public addresses; with CIDRs, to those that they reach. */
function reaches({ within }: Host, to: Target): boolean {
  if (!within) return to.least === 0;
  if (within.longest(to.meant) >= to.least) return true;
  return to.least === 0 && within.longest(to.address) >= 0;
}

function matchOf({ clause, pattern }: Host, ports: Ports): Match {
  return { clause, what: formatHostPattern(pattern), ports };
}

function must<T>(value: T | Error): T {
  if (value instanceof Error) throw value;
  return value;
}
