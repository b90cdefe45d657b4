import { formatAddress } from "./address.ts";
import type { Attempt, Denied } from "./decision.ts";
import { evaluate } from "./evaluate.ts";
import type { Policy } from "./policy.ts";
import { API_VERSION, type Destination, type EgressRule } from "./rules.ts";

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
export function remedyFor(policy: Policy, attempt: Attempt, { reason }: Denied): Remedy {
  if (!RULE_HELPS.has(reason)) return {};
  let boundary: string | undefined;
  for (const destination of destinations(policy, attempt)) {
    const rule = ruleOf(policy.namespace, attempt, destination);
    const decision = evaluate(
      policy.withOnly({ rule: rule.metadata.name, entry: 0, ...destination }),
      attempt,
    );
    if (decision.verdict === "allow" || decision.verdict === "needs_addresses") return { rule };
    if (decision.verdict === "deny") boundary ??= decision.boundary;
  }
  return { boundary };
}

function destinations(policy: Policy, { address, port, seen, answers }: Attempt): Destination[] {
  const single = (text: string) => {
    const to = policy.target(text);
    return to ? [`${formatAddress(to.meant)}/${to.meant.family === 4 ? 32 : 128}`] : [];
  };
  const cidrs = single(address);
  const byAddress =
    cidrs.length > 0 ? [{ cidrs, ports: [{ port, protocol: "tcp" as const }] }] : [];
  if (seen?.name === undefined) return byAddress;
  const hosts = [seen.name];
  const ports = [
    { port, protocol: seen.protocol === "http" ? ("http" as const) : ("tls" as const) },
  ];
  const there = [...new Set((answers?.addressesOf(seen.name) ?? []).flatMap(single))];
  const atAddresses = there.length > 0 ? [{ hosts, cidrs: there, ports }] : [];
  return [{ hosts, ports }, ...atAddresses, ...byAddress];
}

function ruleOf(namespace: string, { address, port, seen }: Attempt, to: Destination): EgressRule {
  return {
    apiVersion: API_VERSION,
    kind: "EgressRule",
    metadata: {
      name: slug(`allow-${to.hosts && seen?.name ? seen.name : address}-${port}`),
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
