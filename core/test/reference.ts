import { BlockList, isIPv6 } from "node:net";
import type { Attempt } from "../src/decision.ts";
import type { Destination } from "../src/rules.ts";
import { SPECIAL_RANGES } from "../src/special.ts";
import type { RandomLists } from "./random.ts";

/**
 * DESIGN §3 to §5 read anew, as plainly as can be: linear scans, Node's BlockList for ranges, regular expressions for
 * names. For attempts of which everything is known. Undefined where it is refused, otherwise what may be dialled.
 */
export function referenceDial(
  policy: RandomLists,
  resolved: Readonly<Record<string, readonly string[]>>,
  { address: original, port, seen }: Attempt,
): string[] | undefined {
  const isWhole = seen?.malformed === undefined;
  const isNamed = seen?.name !== undefined && isWhole && seen.invalidName === undefined;
  const at = (address: string) => new Place(policy, resolved, address, port, isNamed);
  const here = at(original);
  if (here.isDenied([])) return undefined;
  if (here.isCluster()) return [original];
  const meant = seen?.name === undefined ? undefined : standsFor(policy, seen.name);
  const claimed = [meant, seen?.name].filter((one) => one !== undefined);
  if (here.isDenied(claimed)) return undefined;

  // Whatever is said, if that is enough.
  const isUnheard = here.permitted(undefined, undefined).size > 0;
  const spoken = isWhole ? seen?.protocol : undefined;
  const heard = isUnheard ? undefined : spoken;
  const ruled = here.permitted(undefined, heard);
  if (ruled.size > 0 && !here.isNameNeeded()) {
    const same = (ways: ReadonlySet<string>) => ways.has("tls") === ruled.has("tls");
    const others = here
      .addressesOfOwnName(heard)
      .filter((one) => one !== original && !at(one).isDenied([]))
      .filter((one) => [at(one).permitted(undefined, heard)].some((w) => w.size > 0 && same(w)));
    return [original, ...others];
  }

  const name = meant;
  if (!isNamed || name === undefined) return undefined;
  const spokenOf = [...policy.rules, ...policy.baseline].some((one) =>
    names(one, name, port, spoken),
  );
  const ceilingSpeaks =
    here.isRuled(spoken) &&
    policy.ceilings.some((list) => list.some((one) => names(one, name, port, undefined)));
  if (ruled.size === 0 && !spokenOf && !ceilingSpeaks) return undefined;

  const answers = resolved[name] ?? [];
  const ordered = [...answers].sort((a, b) => Number(b === original) - Number(a === original));
  const permitted = ordered
    .filter((one) => !at(one).isDenied(claimed))
    .map((one) => [one, at(one).permitted(name, spoken)] as const)
    .filter(([, ways]) => ways.size > 0);
  // HTTP leaves one way: the first address's, TLS where that may be.
  const way = permitted[0]?.[1].has("tls") ? "tls" : "clear";
  const dial = permitted
    .filter(([, ways]) => (ways.has("tls") ? "tls" : "clear") === way)
    .map(([one]) => one);
  return dial.length > 0 ? dial : undefined;
}

class Place {
  readonly policy: RandomLists;
  readonly kept: readonly string[];
  readonly resolved: Readonly<Record<string, readonly string[]>>;
  readonly address: string;
  readonly meant: string;
  readonly port: number;
  /** The app has given a name by which TLS could be verified. */
  readonly isNamed: boolean;

  constructor(
    policy: RandomLists,
    resolved: Readonly<Record<string, readonly string[]>>,
    address: string,
    port: number,
    isNamed: boolean,
  ) {
    this.isNamed = isNamed;
    this.policy = policy;
    this.resolved = resolved;
    this.address = address;
    this.port = port;
    this.meant = meantBy(address);
    const { rules, baseline, deny, ceilings } = policy;
    const all = [...rules, ...baseline, ...deny, ...ceilings.flat()];
    const withTcp = all.filter((one) => one.ports.some(({ protocol }) => protocol === "tcp"));
    this.kept = withTcp
      .flatMap(({ hosts }) => hosts ?? [])
      .filter((name) => resolved[name]?.includes(address));
  }

  isDenied(claimed: readonly string[]): boolean {
    const known = [...this.kept, ...claimed];
    return this.policy.deny.some(
      ({ hosts, cidrs, ports }) =>
        ports.some((one) => inPorts(one, this.port)) &&
        (!hosts ||
          hosts.some(
            (host) =>
              claimed.some((name) => matches(host, name)) ||
              (known.includes(host) && !host.startsWith("*")),
          )) &&
        (!cidrs || cidrs.some((cidr) => holds(cidr, this.meant) || holds(cidr, this.address))),
    );
  }

  isCluster(): boolean {
    const { ranges = [], endpoints = [] } = this.policy.cluster;
    return (
      ranges.some((range) => holds(range, this.address)) ||
      endpoints.some((one) => one.address === this.address && one.port === this.port) ||
      (this.address === "10.96.0.10" && this.port === 53)
    );
  }

  /** A deny speaks of names here. */
  isNameNeeded(): boolean {
    return this.policy.deny.some(
      ({ hosts, cidrs, ports }) =>
        hosts &&
        ports.some((one) => one.protocol !== "tcp" && inPorts(one, this.port)) &&
        (!cidrs || cidrs.some((cidr) => holds(cidr, this.meant) || holds(cidr, this.address))),
    );
  }

  /** In which ways it may leave: HTTP as `clear` or as `tls`; all else as `clear`. */
  permitted(name: string | undefined, spoken: string | undefined): Set<"clear" | "tls"> {
    const ways = new Set<"clear" | "tls">();
    const { rules, baseline, ceilings } = this.policy;
    const some = (list: readonly Destination[], fits: (protocol: string) => boolean) =>
      list.some((one) => this.#covers(one, name, fits));
    const clear = (protocol: string) =>
      protocol === "tcp" || protocol === spoken || (protocol === "https" && spoken === "tls");
    const formula = (rule: typeof clear, ceiling: typeof clear) =>
      some(baseline, rule) || (some(rules, rule) && ceilings.every((list) => some(list, ceiling)));
    if (formula(clear, clear)) ways.add("clear");
    const leavesAsTls = (protocol: string) => ["tcp", "tls", "https"].includes(protocol);
    if (
      spoken === "http" &&
      this.isNamed &&
      formula((protocol) => protocol === "https", leavesAsTls)
    )
      ways.add("tls");
    return ways;
  }

  /** Of the one name whose addresses hold this one, if it is what permits it. */
  addressesOfOwnName(spoken: string | undefined): readonly string[] {
    const { rules, baseline } = this.policy;
    const [name, ...more] = new Set(this.kept);
    if (name === undefined || more.length > 0) return [];
    const policy = { ...this.policy, rules: [] };
    const alone = new Place(policy, this.resolved, this.address, this.port, this.isNamed);
    const list = alone.permitted(undefined, spoken).size > 0 ? baseline : rules;
    const byName = list.some(
      (one) => one.hosts?.includes(name) && this.#covers(one, undefined, (p) => p === "tcp"),
    );
    return byName ? (this.resolved[name] ?? []) : [];
  }

  isRuled(spoken: string | undefined): boolean {
    const { rules } = this.policy;
    const lone = new Place(
      { ...this.policy, baseline: [], ceilings: [] },
      {},
      this.address,
      this.port,
      this.isNamed,
    );
    const kept = Object.assign(lone, { kept: this.kept });
    return rules.length > 0 && kept.permitted(undefined, spoken).size > 0;
  }

  #covers(
    { hosts, cidrs, ports }: Destination,
    name: string | undefined,
    fits: (protocol: string) => boolean,
  ): boolean {
    const here = ports.filter((one) => inPorts(one, this.port) && fits(one.protocol));
    const isReached = cidrs
      ? cidrs.some((cidr) => this.#reaches(cidr))
      : specialLength(this.meant, this.policy) === 0;
    if (!isReached) return false;
    if (!hosts) return here.length > 0;
    return here.some(({ protocol }) =>
      hosts.some((host) =>
        protocol === "tcp" ? this.kept.includes(host) : name !== undefined && matches(host, name),
      ),
    );
  }

  #reaches(cidr: string): boolean {
    const special = specialLength(this.meant, this.policy);
    if (special === 0) return holds(cidr, this.meant) || holds(cidr, this.address);
    return holds(cidr, this.meant) && Number(cidr.split("/")[1]) >= special;
  }
}

/** As the pod's search list would find it: by short names in its own namespace, shop, and the longer ones everywhere. */
export function standsFor({ cluster: { externalNames = [] } }: RandomLists, given: string): string {
  const [service, namespace = "shop", ...rest] = given.split(".");
  if (!["", "svc", "svc.cluster.local"].includes(rest.join("."))) return given;
  const found = externalNames.find(
    (one) => one.name === service && one.namespace === namespace,
  )?.externalName;
  return found === undefined || found.endsWith(".cluster.local") ? given : found;
}

function names(
  { hosts, ports }: Destination,
  name: string,
  port: number,
  spoken: string | undefined,
): boolean {
  const fits = (protocol: string) =>
    protocol !== "tcp" &&
    (spoken === undefined ||
      protocol === spoken ||
      (protocol === "https" && (spoken === "tls" || spoken === "http")));
  return (
    (hosts ?? []).some((host) => matches(host, name)) &&
    ports.some((one) => inPorts(one, port) && fits(one.protocol))
  );
}

/** By a regular expression: `*.` is one label or more. */
export function matches(host: string, name: string): boolean {
  const escaped = host.replace(/^\*\./, "").replaceAll(".", "\\.");
  const below = host.startsWith("*.") ? "(?:[^.]+\\.)+" : "";
  return new RegExp(`^${below}${escaped}$`).test(name);
}

function inPorts(
  { port, endPort = port }: { port: number; endPort?: number | undefined },
  n: number,
) {
  return port <= n && n <= endPort;
}

function holds(cidr: string, address: string): boolean {
  const key = `${cidr} ${address}`;
  const known = held.get(key);
  if (known !== undefined) return known;
  const [base = "", length] = cidr.split("/");
  const family = isIPv6(base) ? "ipv6" : "ipv4";
  const list = new BlockList();
  list.addSubnet(base, Number(length), family);
  const answer = isIPv6(base) === isIPv6(address) && list.check(address, family);
  held.set(key, answer);
  return answer;
}

/** A BlockList for each question is slow, and the questions are few. */
const held = new Map<string, boolean>();

/** NAT64 and 6to4, as far as the addresses of this world go. */
function meantBy(address: string): string {
  const dotted = (high = "0", low = "0") => {
    const value = Number.parseInt(high, 16) * 65_536 + Number.parseInt(low, 16);
    return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
  };
  const nat64 = /^64:ff9b::([0-9a-f]+):([0-9a-f]+)$/.exec(address);
  const sixToFour = /^2002:([0-9a-f]+):([0-9a-f]+):/.exec(address);
  const found = nat64 ?? sixToFour;
  return found ? dotted(found[1], found[2]) : address;
}

/** The length of the narrowest special range that holds it, or 0. */
function specialLength(address: string, { cluster }: RandomLists): number {
  const { ranges = [], nodes = [] } = cluster;
  const lengths = [...SPECIAL_RANGES.map(([range]) => range), ...ranges, ...nodes]
    .filter((range) => holds(range, address))
    .map((range) => Number(range.split("/")[1]));
  return Math.max(0, ...lengths);
}
