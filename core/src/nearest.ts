import { formatAddress, parseCidr } from "./address.ts";
import { inPorts } from "./clause-ports.ts";
import type { Attempt, Denied, Seen } from "./decision.ts";
import type { Host } from "./host-index.ts";
import { formatHostPattern } from "./hostname.ts";
import type { Policy } from "./policy.ts";
import type { Ports } from "./rules.ts";
import type { Clause } from "./snapshot.ts";
import { cidrReaches, type Target } from "./target.ts";

export interface Nearest {
  /** `namespace/name`, and the entry's place in its list, from 0. */
  readonly rule: string;
  readonly entry: number;
  /** What keeps it from applying. */
  readonly why: string;
}

/** The host or CIDR closest to it, and what keeps it from permitting it. */
export function nearestRule(
  policy: Policy,
  attempt: Attempt,
  { reason, boundary, service, endpoint }: Denied,
): Nearest | undefined {
  const { rules } = policy;
  // Where a boundary decides, or no rule could help, what rules say is beside the point.
  if (boundary !== undefined || BESIDE_RULES.has(reason)) return undefined;
  if (service && !endpoint) return undefined;
  const { port, seen } = attempt;
  const to = policy.target(attempt.address);
  const given = seen?.name;
  if (given !== undefined) {
    const target = policy.externalNameOf(given);
    const name = target ?? given;
    const host = rules.nearestHost(name, port);
    if (host) return at(host.clause, whyNotHost(host, name, attempt));
    const alias = target === undefined ? undefined : rules.nearestHost(given, port);
    if (alias)
      return at(
        alias.clause,
        `it permits ${formatHostPattern(alias.pattern)}, but ${given} stands for ${target} and is judged by that name`,
      );
  }
  const range = to && rules.nearestRange(to, port);
  if (range) return at(range.clause, whyNotRange(range.clause, range.what, to, attempt));
  const named = rules.tcpHostOn(port);
  if (!named) return undefined;
  return at(named.clause, whyNotTcp(named, attempt));
}

const BESIDE_RULES: ReadonlySet<Denied["reason"]> = new Set([
  ...(["failed.dns", "denied.malformed", "denied.too_large"] as const),
]);

function at({ rule, entry }: Clause, why: string): Nearest {
  return { rule, entry, why };
}

/** Opaque bytes carry no name: addresses stand for it. */
function whyNotTcp(host: Host, { address, answers }: Attempt): string {
  const { name } = host.pattern;
  return answers?.namesOf(address).includes(name)
    ? whyNotThere(host)
    : `${address} is not among our own answers for ${name}`;
}

function whyNotHost(host: Host, name: string, attempt: Attempt): string {
  const { clause, pattern } = host;
  const { port, seen } = attempt;
  const what = formatHostPattern(pattern);
  if (pattern.wildcard && pattern.name === name)
    return `${what} holds the names below ${pattern.name}, not ${pattern.name} itself`;
  const onPort = clause.ports.filter((ports) => inPorts(ports, port));
  if (onPort.length === 0)
    return `it permits ${what} on ${formatPorts(clause.ports)}, not on ${port}`;
  const fits = onPort.some(
    ({ protocol }) =>
      protocol === seen?.protocol || (protocol === "https" && seen?.protocol === "tls"),
  );
  if (fits) return whyNotThere(host);
  if (onPort.some(({ protocol }) => protocol === "tcp")) return whyNotTcp(host, attempt);
  return spokenOtherwise(what, onPort, seen);
}

function whyNotThere({ clause, pattern, within }: Host): string {
  const what = formatHostPattern(pattern);
  return within
    ? `it permits ${what} at ${clause.cidrs?.join(", ")} alone`
    : `it permits ${what} at public addresses alone`;
}

function whyNotRange(clause: Clause, what: string, to: Target, { port, seen }: Attempt): string {
  const onPort = clause.ports.filter((ports) => inPorts(ports, port));
  if (onPort.length === 0)
    return `it permits ${what} on ${formatPorts(clause.ports)}, not on ${port}`;
  const cidr = parseCidr(what);
  if (!(cidr instanceof Error) && !cidrReaches(cidr, to))
    return `${what} means the public addresses in it; ${formatAddress(to.meant)} lies in a special range, which only a CIDR inside that range reaches`;
  if (onPort.some(({ protocol }) => protocol === "tcp"))
    return `it permits ${what} there as tcp, but the boundaries need a name that is true of the address`;
  return spokenOtherwise(what, onPort, seen);
}

function spokenOtherwise(what: string, [ports]: readonly Ports[], seen: Seen | undefined): string {
  return `it permits ${what} there as ${ports?.protocol}, and the app speaks ${SPOKEN[seen?.protocol ?? "silent"]}`;
}

function formatPorts(list: readonly Ports[]): string {
  return list
    .map(({ port, endPort, protocol }) => `${endPort ? `${port}-${endPort}` : port} (${protocol})`)
    .join(", ");
}

/** What the app speaks, in words. */
export const SPOKEN = {
  tls: "TLS",
  http: "HTTP",
  http2: "HTTP/2 without TLS",
  opaque: "neither TLS nor HTTP",
  silent: "nothing yet",
} as const;
