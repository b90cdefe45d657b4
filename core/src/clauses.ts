import { type Address, type Cidr, parseCidr } from "./address.ts";
import { formatHostPattern, type HostPattern, parseHostPattern } from "./hostname.ts";
import { PortSet } from "./ports.ts";
import { Ranges } from "./ranges.ts";
import type { Ports } from "./rules.ts";
import type { Clause } from "./snapshot.ts";

/** An address under judgement. */
export interface Target {
  /** As the connection has it. */
  readonly address: Address;
  /** The IPv4 address it stands for (special.ts); otherwise the same. */
  readonly meant: Address;
  /** The prefix length from which on a CIDR reaches it: that of the special range it lies in; 0 where it is public. */
  readonly least: number;
}

/** One address, and what is known of a connection to it. */
export interface Candidate {
  readonly to: Target;
  readonly port: number;
  /** Undefined where nobody has looked. */
  readonly protocol?: string | undefined;
  /** The name that the app gave, where our own answers for it hold this address. */
  readonly name?: string;
  /** Names with `tcp` whose answers hold this address. */
  readonly known: readonly string[];
}

export interface Match {
  readonly clause: Clause;
  /** The host or CIDR that did it, as written. */
  readonly what: string;
  readonly ports: Ports;
}

/** A host of a clause, found. */
export interface Host {
  readonly clause: Clause;
  readonly pattern: HostPattern;
  /** Where the clause gives CIDRs, too. */
  readonly within: Ranges<string> | undefined;
}

/** A list of clauses, indexed: a look-up costs about the same for ten and for ten thousand. */
export class Clauses {
  readonly #exact = new Map<string, Host[]>();
  /** By what follows the `*.`. */
  readonly #below = new Map<string, Host[]>();
  /** The clauses without hosts. */
  readonly #ranges: Ranges<{ clause: Clause; what: string }>;
  readonly #namedPorts: PortSet;
  readonly #tcpPorts: PortSet;
  readonly #tcpNames: { name: string; ports: Ports }[] = [];

  constructor(clauses: readonly Clause[]) {
    const ranges: [Cidr, { clause: Clause; what: string }][] = [];
    for (const clause of clauses) {
      const cidrs = clause.cidrs?.map((text) => [must(parseCidr(text)), text] as const);
      if (clause.hosts) this.#addHosts(clause, clause.hosts, cidrs && new Ranges(cidrs));
      else for (const [cidr, what] of cidrs ?? []) ranges.push([cidr, { clause, what }]);
    }
    this.#ranges = new Ranges(ranges);
    const ports = clauses.flatMap((clause) => (clause.hosts ? clause.ports : []));
    this.#namedPorts = portSet(ports.filter(({ protocol }) => protocol !== "tcp"));
    this.#tcpPorts = portSet(ports.filter(({ protocol }) => protocol === "tcp"));
  }

  /** What allows this address: a name that leads there, or a range that reaches it. */
  permits(candidate: Candidate): Match | undefined {
    const { to, port, protocol, name, known } = candidate;
    if (name !== undefined)
      for (const host of this.hostsFor(name)) {
        const ports = portsFor(host.clause, port, protocol);
        if (ports && reaches(host, to)) return matchOf(host, ports);
      }
    for (const each of known)
      for (const host of this.#exact.get(each) ?? []) {
        const ports = tcpPorts(host.clause, port);
        if (ports && reaches(host, to)) return matchOf(host, ports);
      }
    return this.#atAddress(to, (cidr, clause, what) => {
      if (!cidrReaches(cidr, to)) return undefined;
      const ports = tcpPorts(clause, port) ?? portsFor(clause, port, protocol);
      return ports && { clause, what, ports };
    });
  }

  /**
   * What refuses this address. A denial is read as widely as a permission is narrowly: whatever is spoken, and CIDRs
   * hold special ranges as any other.
   */
  covers({ to, port, name, known }: Candidate): Match | undefined {
    const named = name === undefined ? [] : this.hostsFor(name);
    const kept = known.flatMap((each) => this.#exact.get(each) ?? []);
    for (const host of [...named, ...kept]) {
      const ports = portsOf(host.clause, port);
      if (ports && (!host.within || within(host.within, to))) return matchOf(host, ports);
    }
    return this.#atAddress(to, (_, clause, what) => {
      const ports = portsOf(clause, port);
      return ports && { clause, what, ports };
    });
  }

  /** Hosts that name it, exact ones first, then wildcards from the nearest on. */
  hostsFor(name: string): Host[] {
    const found = [...(this.#exact.get(name) ?? [])];
    if (this.#below.size > 0)
      for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1))
        found.push(...(this.#below.get(name.slice(dot + 1)) ?? []));
    return found;
  }

  /** Whether the name is named on this port, for what is spoken; for anything where that is left out. */
  speaksOf(name: string, port: number, protocol?: string): boolean {
    return this.hostsFor(name).some(({ clause }) =>
      protocol === undefined ? portsOf(clause, port) : portsFor(clause, port, protocol),
    );
  }

  /** Wildcards whose suffix is this very name, which they do not hold. */
  wildcardsOf(name: string): readonly Host[] {
    return this.#below.get(name) ?? [];
  }

  /** Clauses without hosts whose CIDR holds the address, on whatever port, special range or not. */
  rangesFor(to: Target): Match[] {
    const found: Match[] = [];
    this.#atAddress(to, (_, clause, what) => {
      const [ports] = clause.ports;
      if (ports) found.push({ clause, what, ports });
      return undefined;
    });
    return found;
  }

  /** One that is matched by its addresses alone on this port, for an example. */
  tcpHostOn(port: number): Host | undefined {
    const [name] = this.tcpNames(port);
    return name === undefined
      ? undefined
      : this.#exact.get(name)?.find(({ clause }) => tcpPorts(clause, port));
  }

  /** Whether names are spoken of on this port. */
  namesOn(port: number): boolean {
    return this.#namedPorts.has(port);
  }

  /** Whether the first bytes could make a clause permit this. */
  bytesCouldHelp(to: Target, port: number): boolean {
    if (this.namesOn(port)) return true;
    return (
      this.#atAddress(to, (cidr, { ports }) =>
        cidrReaches(cidr, to) && ports.some((each) => inPorts(each, port)) ? true : undefined,
      ) ?? false
    );
  }

  /** Names that are matched by their addresses alone, which have to be known ahead; on one port or on all. */
  tcpNames(port?: number): string[] {
    if (port !== undefined && !this.#tcpPorts.has(port)) return [];
    return this.#tcpNames
      .filter(({ ports }) => port === undefined || inPorts(ports, port))
      .map(({ name }) => name);
  }

  /** By the address that it stands for, then by itself; whichever `pick` first makes something of. */
  #atAddress<R>(
    { address, meant }: Target,
    pick: (cidr: Cidr, clause: Clause, what: string) => R | undefined,
  ): R | undefined {
    const found = this.#ranges.find(meant, (cidr, { clause, what }) => pick(cidr, clause, what));
    if (found !== undefined || meant === address) return found;
    return this.#ranges.find(address, (cidr, { clause, what }) => pick(cidr, clause, what));
  }

  #addHosts(clause: Clause, hosts: readonly string[], within: Ranges<string> | undefined): void {
    for (const text of hosts) {
      const pattern = must(parseHostPattern(text));
      const host = { clause, pattern, within };
      const map = pattern.wildcard ? this.#below : this.#exact;
      const there = map.get(pattern.name);
      if (there) there.push(host);
      else map.set(pattern.name, [host]);
    }
    for (const ports of clause.ports.filter(({ protocol }) => protocol === "tcp"))
      for (const text of hosts)
        this.#tcpNames.push({ name: must(parseHostPattern(text)).name, ports });
  }
}

/** What stands for a special address is reached by a CIDR of that address alone, one inside its special range. */
function cidrReaches({ family, prefix }: Cidr, { meant, least }: Target): boolean {
  return least === 0 || (family === meant.family && prefix >= least);
}

/** A name alone leads to public addresses; with CIDRs, to those that they reach. */
function reaches({ within: ranges }: Host, to: Target): boolean {
  if (!ranges) return to.least === 0;
  if (ranges.longest(to.meant) >= to.least) return true;
  return to.least === 0 && ranges.longest(to.address) >= 0;
}

function within(ranges: Ranges<string>, to: Target): boolean {
  return ranges.longest(to.meant) >= 0 || ranges.longest(to.address) >= 0;
}

function matchOf({ clause, pattern }: Host, ports: Ports): Match {
  return { clause, what: formatHostPattern(pattern), ports };
}

export function inPorts({ port: first, endPort }: Ports, port: number): boolean {
  return port >= first && port <= (endPort ?? first);
}

function portSet(list: readonly Ports[]): PortSet {
  return new PortSet(list.map(({ port, endPort }) => ({ first: port, last: endPort ?? port })));
}

function portsOf({ ports }: Clause, port: number): Ports | undefined {
  return ports.find((each) => inPorts(each, port));
}

function tcpPorts({ ports }: Clause, port: number): Ports | undefined {
  return ports.find((each) => each.protocol === "tcp" && inPorts(each, port));
}

/** Where what is spoken is what the clause says is spoken. */
function portsFor({ ports }: Clause, port: number, spoken: string | undefined): Ports | undefined {
  return ports.find(({ protocol, ...each }) => {
    if (protocol === "tcp" || !inPorts({ protocol, ...each }, port)) return false;
    return protocol === spoken || (protocol === "https" && (spoken === "tls" || spoken === "http"));
  });
}

function must<T>(value: T | Error): T {
  if (value instanceof Error) throw value;
  return value;
}
