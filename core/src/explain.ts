import { formatAddress } from "./address.ts";
import { inPorts } from "./clause-ports.ts";
import type { Attempt, Denied } from "./decision.ts";
import type { Host } from "./host-index.ts";
import { formatHostPattern } from "./hostname.ts";
import type { Policy } from "./policy.ts";
import { REASONS } from "./reasons.ts";
import { API_VERSION, type Destination, type EgressRule, type Ports } from "./rules.ts";
import type { Clause } from "./snapshot.ts";
import type { Target } from "./target.ts";

/** A refusal in words. It speaks of the pod's own namespace and of boundaries by name, of nothing else. */
export interface Explanation {
  readonly reason: Denied["reason"];
  /** One sentence: what was refused, and why. */
  readonly message: string;
  /** `203.0.113.7:443` */
  readonly destination: string;
  /** The name that the app gave. */
  readonly name?: string;
  /** The rule that comes closest, and what keeps it from applying. */
  readonly nearest?: { readonly rule: string; readonly entry: number; readonly why: string };
  /** What would permit it; absent where no rule can. */
  readonly egressRule?: EgressRule;
  /** What to do where a rule is not what is wanted. */
  readonly advice?: string;
}

export function explain(policy: Policy, attempt: Attempt, denied: Denied): Explanation {
  const { name } = attempt.seen ?? {};
  const destination = formatEndpoint(attempt.address, attempt.port);
  const nearest = nearestRule(policy, attempt);
  const egressRule = ruleFor(policy, attempt, denied);
  const advice = adviceFor(denied);
  return {
    reason: denied.reason,
    message: `${name === undefined ? destination : `${name} at ${destination}`} was refused: ${because(attempt, denied)}`,
    destination,
    ...(name !== undefined && { name }),
    ...(nearest && { nearest }),
    ...(egressRule && { egressRule }),
    ...(advice !== undefined && { advice }),
  };
}

export function formatEndpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The reason's sentence, with what is known of this case. */
function because({ seen, answers }: Attempt, { reason, boundary }: Denied): string {
  const details = [
    ...(boundary === undefined ? [] : [`boundary ${boundary}`]),
    ...(seen?.invalidName === undefined ? [] : [`the name given is "${seen.invalidName}"`]),
    ...(seen?.malformed === undefined ? [] : [seen.malformed]),
    ...(reason === "denied.protocol" && seen ? [`it speaks ${SPOKEN[seen.protocol]}`] : []),
    ...(reason === "denied.name_missing" && seen?.protocol === "silent" ? ["it said nothing"] : []),
    ...(reason === "denied.private_address" && seen?.name !== undefined
      ? [`it leads to ${(answers?.addressesOf(seen.name) ?? []).join(", ")}`]
      : []),
  ];
  return `${REASONS[reason]}${details.length > 0 ? ` (${details.join("; ")})` : ""}`;
}

const SPOKEN = {
  tls: "TLS",
  http: "HTTP",
  http2: "HTTP/2 without TLS",
  opaque: "neither TLS nor HTTP",
  silent: "nothing yet",
} as const;

function adviceFor({ reason, boundary }: Denied): string | undefined {
  switch (reason) {
    case "denied.boundary":
      return `boundary ${boundary} denies it; only who keeps that boundary can change this`;
    case "denied.ceiling":
      return `a rule permits it already; boundary ${boundary} has to allow it, too, which who keeps it can change`;
    case "denied.malformed":
    case "failed.dns":
      return "no rule can help: see what the app sends, and whether the name exists";
    case "denied.name_invalid":
    case "denied.name_missing":
      return "the app could give a name (SNI or Host); or a rule could permit the address with protocol tcp";
    default:
      return undefined;
  }
}

/** The host or CIDR closest to it, and what keeps it from permitting it. */
function nearestRule(policy: Policy, attempt: Attempt): Explanation["nearest"] {
  const { rules } = policy;
  const { port, seen } = attempt;
  const to = policy.target(attempt.address);
  if (seen?.name !== undefined) {
    const host = rules.nearestHost(seen.name);
    if (host) return at(host.clause, whyNotHost(host, attempt));
  }
  const range = to && rules.nearestRange(to);
  if (range) return at(range.clause, whyNotRange(range.clause, range.what, to, attempt));
  const named = rules.tcpHostOn(port);
  if (named)
    return at(
      named.clause,
      `${attempt.address} is not among our own answers for ${named.pattern.name}`,
    );
  return undefined;
}

function at({ rule, entry }: Clause, why: string) {
  return { rule, entry, why };
}

function whyNotHost({ clause, pattern, within }: Host, { port, seen }: Attempt): string {
  const what = formatHostPattern(pattern);
  if (pattern.wildcard && pattern.name === seen?.name)
    return `${what} holds the names below ${pattern.name}, not ${pattern.name} itself`;
  const onPort = clause.ports.filter((ports) => inPorts(ports, port));
  if (onPort.length === 0)
    return `it permits ${what} on ${formatPorts(clause.ports)}, not on ${port}`;
  const fits = onPort.some(
    ({ protocol }) =>
      protocol === seen?.protocol || (protocol === "https" && seen?.protocol === "tls"),
  );
  if (!fits)
    return `it permits ${what} there as ${onPort[0]?.protocol}, and the app speaks ${SPOKEN[seen?.protocol ?? "silent"]}`;
  return within
    ? `${what} leads outside its cidrs ${clause.cidrs?.join(", ")}`
    : `it permits ${what} at public addresses`;
}

function whyNotRange(clause: Clause, what: string, to: Target, { port, seen }: Attempt): string {
  const onPort = clause.ports.filter((ports) => inPorts(ports, port));
  if (onPort.length === 0)
    return `it permits ${what} on ${formatPorts(clause.ports)}, not on ${port}`;
  if (to.least > 0)
    return `${what} means the public addresses in it; ${formatAddress(to.meant)} lies in a special range, which only a CIDR inside that range reaches`;
  return `it permits ${what} there as ${onPort[0]?.protocol}, and the app speaks ${SPOKEN[seen?.protocol ?? "silent"]}`;
}

function formatPorts(list: readonly Ports[]): string {
  return list
    .map(({ port, endPort, protocol }) => `${endPort ? `${port}-${endPort}` : port} (${protocol})`)
    .join(", ");
}

/** The reasons for which the namespace has only to say that it wants this. */
const RULE_HELPS: ReadonlySet<Denied["reason"]> = new Set([
  ...(["denied.no_rule", "denied.private_address", "denied.protocol"] as const),
  ...(["denied.stale_address", "denied.name_missing", "denied.name_invalid"] as const),
]);

/** By name where the app gave one, otherwise by address. */
function ruleFor(policy: Policy, attempt: Attempt, { reason }: Denied): EgressRule | undefined {
  const { address, port, seen, answers } = attempt;
  const to = policy.target(address);
  if (!to || !RULE_HELPS.has(reason)) return undefined;
  // Where a boundary speaks of names, a connection without one is refused whatever a rule says.
  if (seen?.name === undefined && policy.deny.namesOn(port)) return undefined;
  const protocol = seen?.protocol === "http" ? "http" : "tls";
  const single = (text: string) => `${text}/${text.includes(":") ? 128 : 32}`;
  const inside = seen?.name === undefined ? [] : (answers?.addressesOf(seen.name) ?? []);
  const destination: Destination =
    seen?.name === undefined || reason === "denied.stale_address"
      ? { cidrs: [single(formatAddress(to.meant))], ports: [{ port, protocol: "tcp" }] }
      : {
          hosts: [seen.name],
          ...(reason === "denied.private_address" && { cidrs: inside.map(single) }),
          ports: [{ port, protocol }],
        };
  return {
    apiVersion: API_VERSION,
    kind: "EgressRule",
    metadata: {
      name: slug(`allow-${seen?.name ?? address}-${port}`),
      namespace: policy.namespace,
    },
    spec: { to: [destination] },
  };
}

/** A Kubernetes object name (RFC 1123 subdomain, as one label). */
function slug(text: string): string {
  return text
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replace(/-+$/, "");
}
