import { formatAddress } from "./address.ts";
import type { Attempt, Denied, Protocol } from "./decision.ts";
import { evaluate } from "./evaluate.ts";
import type { LedOut } from "./leading-out.ts";
import type { Policy } from "./policy.ts";
import { API_VERSION, type Destination, type EgressRule, type Ports } from "./rules.ts";
import { judgedAs } from "./through-service.ts";

export interface Remedy {
  /** With this rule the same attempt is permitted, as far as is known of it. */
  readonly rule?: EgressRule;
  /** The boundary because of which no rule would do. */
  readonly boundary?: string | undefined;
}

/** The reasons for which the namespace has only to say that it wants this. */
const RULE_HELPS: ReadonlySet<Denied["reason"]> = new Set([
  ...(["denied.no_rule", "denied.private_address", "denied.protocol"] as const),
  ...(["denied.stale_address", "denied.name_missing", "denied.name_invalid"] as const),
]);

/** The narrowest rule that would permit it: by name where the app gave one, otherwise by address. Each is tried. */
export function remedyFor(policy: Policy, attempt: Attempt, denied: Denied): Remedy {
  if (!RULE_HELPS.has(denied.reason)) return {};
  const judged = judgedAs(attempt, denied);
  let boundary: string | undefined;
  for (const destination of destinations(policy, judged, denied)) {
    const rule = ruleOf(policy.namespace, judged, destination);
    const decision = evaluate(
      policy.withOnly({ rule: rule.metadata.name, entry: 0, ...destination }),
      attempt,
    );
    if (decision.verdict === "allow" || decision.verdict === "needs_addresses") return { rule };
    if (decision.verdict === "deny") boundary ??= decision.boundary;
  }
  return { boundary };
}

/** For a rule that is about one endpoint of a Service is about the others, too, or they would never be dialled. */
const MOST_ENDPOINTS = 32;

/** The endpoints outside that are reached on the same port as the one that is refused. */
function endpointsLike(policy: Policy, { service, endpoint }: Denied): string[] {
  if (!service || !endpoint) return [];
  const { port } = endpoint;
  const others = service.endpoints.filter((each) => {
    const to = each.port === port ? policy.target(each.address) : undefined;
    return to && !policy.isCluster(to, port) && !policy.leadsOut(to, port);
  });
  return others.slice(0, MOST_ENDPOINTS).map(({ address }) => address);
}

function destinations(policy: Policy, attempt: Attempt, denied: Denied): Destination[] {
  const { address, port, seen, answers } = attempt;
  const { service } = denied;
  const single = (text: string) => {
    const to = policy.target(text);
    return to ? [`${formatAddress(to.meant)}/${to.meant.family === 4 ? 32 : 128}`] : [];
  };
  const cidrs = [...new Set([address, ...endpointsLike(policy, denied)].flatMap(single))];
  const byAddress =
    cidrs.length > 0 ? [{ cidrs, ports: [{ port, protocol: "tcp" as const }] }] : [];
  const name = nameOf(policy, attempt);
  if (name === undefined || (service && isNameOf(service, name))) return byAddress;
  const hosts = [name];
  const there = [...new Set((answers?.addressesOf(name) ?? []).flatMap(single))];
  const byName = protocolsFor(seen?.protocol, port).flatMap((protocol) => {
    const ports = [{ port, protocol }];
    return [{ hosts, ports }, ...(there.length > 0 ? [{ hosts, cidrs: there, ports }] : [])];
  });
  return [...byName, ...byAddress];
}

/** By its own names a Service is found in the cluster: they lead to none of its endpoints. */
function isNameOf({ service }: LedOut, name: string): boolean {
  const [namespace, own] = service.split("/");
  const full = `${own}.${namespace}`;
  return [own, full, `${full}.svc`].includes(name) || name.startsWith(`${full}.svc.`);
}

/** Rules are about what a name stands for. */
function nameOf(policy: Policy, { seen }: Attempt): string | undefined {
  return policy.externalNameOf(seen?.name) ?? seen?.name;
}

/** Whoever listens on 443 speaks TLS: an app that speaks HTTP there has somebody speak it for it. */
function protocolsFor(spoken: Protocol | undefined, port: number): Ports["protocol"][] {
  if (spoken !== "http") return ["tls"];
  return port === 443 ? ["https", "http"] : ["http"];
}

function ruleOf(namespace: string, { address, port }: Attempt, to: Destination): EgressRule {
  return {
    apiVersion: API_VERSION,
    kind: "EgressRule",
    metadata: {
      name: slug(`allow-${to.hosts?.[0] ?? address}-${port}`),
      namespace,
    },
    spec: { to: [to] },
  };
}

/** A Kubernetes object name (RFC 1123 subdomain, as one label). */
function slug(text: string): string {
  return text
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replace(/-+$/, "");
}
