import { type Cidr, cidrContains, parseCidr } from "@sallyport/core/address";
import { type HostPattern, parseHostPattern } from "@sallyport/core/hostname";
import { Ranges } from "@sallyport/core/ranges";
import type { Destination, Ports } from "@sallyport/core/rules";
import { specialRanges } from "@sallyport/core/special";

/** One host of an entry, or one CIDR of an entry without hosts. */
export interface Place {
  /** From the entry on: `hosts[1]`, `cidrs[0]`. */
  readonly path: string;
  readonly text: string;
  readonly host?: HostPattern;
  /** Absent: public addresses. */
  readonly cidrs?: readonly Cidr[] | undefined;
}

export interface Entry {
  readonly places: readonly Place[];
  readonly ports: readonly Ports[];
}

const SPECIAL = new Ranges(specialRanges().map((cidr) => [cidr, undefined] as const));

const read = new WeakMap<Destination, Entry>();

/** What does not parse is left out: others tell of it. */
export function entryOf(destination: Destination): Entry {
  const before = read.get(destination);
  if (before) return before;
  const { hosts, cidrs: texts, ports } = destination;
  const cidrs = texts?.map(parseCidr).filter((one): one is Cidr => !(one instanceof Error));
  const places = hosts
    ? hosts.flatMap((text, i) => {
        const host = parseHostPattern(text);
        return host instanceof Error ? [] : [{ path: `hosts[${i}]`, text, host, cidrs }];
      })
    : (texts ?? []).flatMap((text, i) => {
        const cidr = parseCidr(text);
        return cidr instanceof Error ? [] : [{ path: `cidrs[${i}]`, text, cidrs: [cidr] }];
      });
  const entry = { places, ports };
  read.set(destination, entry);
  return entry;
}

/**
 * Whether some connection could be of both, as a rule and a ceiling read them. Where that depends on the cluster (its
 * ranges, its Services) or on what a name resolves to, it could.
 */
export function couldMeet(place: Place, ports: Ports, other: Entry): boolean {
  return (
    other.ports.some((each) => portsMeet(ports, each) && protocolsMeet(ports, each)) &&
    other.places.some((each) => hostsMeet(place.host, each.host) && addressesMeet(place, each))
  );
}

/** Whether one of them denies every connection of it: names as widely as they are written, whatever is spoken. */
export function isCovered(place: Place, ports: Ports, denials: readonly Entry[]): boolean {
  const ranges = denials
    .filter((denial) => denial.places.some((each) => holds(each, place)))
    .flatMap((denial) => denial.ports)
    .sort((a, b) => a.port - b.port);
  let next = ports.port;
  for (const { port, endPort = port } of ranges) {
    if (port > next) break;
    next = Math.max(next, endPort + 1);
  }
  return next > (ports.endPort ?? ports.port);
}

function portsMeet(a: Ports, b: Ports): boolean {
  return a.port <= (b.endPort ?? b.port) && b.port <= (a.endPort ?? a.port);
}

/** What leaves where a protocol is permitted (core/clause-ports.ts): HTTP leaves as TLS under `https`. */
const LEAVES: { readonly [protocol in Ports["protocol"]]: readonly string[] } = {
  tls: ["tls"],
  http: ["http"],
  https: ["tls"],
  tcp: ["tls", "http", "opaque"],
};

function protocolsMeet(a: Ports, b: Ports): boolean {
  return LEAVES[a.protocol].some((each) => LEAVES[b.protocol].includes(each));
}

function hostsMeet(a: HostPattern | undefined, b: HostPattern | undefined): boolean {
  return !a || !b || hostHolds(a, b) || hostHolds(b, a);
}

function hostHolds(outer: HostPattern, inner: HostPattern): boolean {
  if (!outer.wildcard) return !inner.wildcard && inner.name === outer.name;
  return inner.name.endsWith(`.${outer.name}`) || (inner.wildcard && inner.name === outer.name);
}

function addressesMeet(a: Place, b: Place): boolean {
  if (!a.cidrs && !b.cidrs) return true;
  if (!a.cidrs || !b.cidrs) return (a.cidrs ?? b.cidrs ?? []).some((one) => specialAround(one) < 0);
  const { cidrs } = b;
  return a.cidrs.some((one) => cidrs.some((other) => cidrsMeet(one, other)));
}

/** A wider one reaches nothing special (core/special.ts). */
function cidrsMeet(one: Cidr, other: Cidr): boolean {
  const [wide, narrow] = one.prefix <= other.prefix ? [one, other] : [other, one];
  return cidrContains(wide, firstOf(narrow)) && wide.prefix >= specialAround(narrow);
}

/** The prefix length of the innermost special range that holds all of it; -1 where none does. */
function specialAround(cidr: Cidr): number {
  return (
    SPECIAL.find(firstOf(cidr), ({ prefix }) => (prefix <= cidr.prefix ? prefix : undefined)) ?? -1
  );
}

function holds(outer: Place, inner: Place): boolean {
  if (outer.host && !(inner.host && hostHolds(outer.host, inner.host))) return false;
  if (!outer.cidrs) return outer.host !== undefined;
  const { cidrs } = outer;
  return (
    inner.cidrs?.every((each) =>
      cidrs.some((one) => one.prefix <= each.prefix && cidrContains(one, firstOf(each))),
    ) ?? false
  );
}

function firstOf({ family, base }: Cidr) {
  return { family, value: base };
}
