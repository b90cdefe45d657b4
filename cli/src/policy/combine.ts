import { API_VERSION, type Destination, type EgressRule } from "@sallyport/core/rules";

/** One rule for all of these: what goes to the same ports, by name or within the same ranges, shares an entry. */
export function combine(rules: readonly EgressRule[], name: string, namespace: string): EgressRule {
  const entries = new Map<string, Destination>();
  for (const { hosts, cidrs, ports } of rules.flatMap(({ spec }) => spec.to)) {
    const key = JSON.stringify([ports, hosts ? (cidrs ?? "public") : "addresses"]);
    const { hosts: itsHosts = [], cidrs: itsCidrs = [] } = entries.get(key) ?? {};
    entries.set(key, {
      ...(hosts && { hosts: united(itsHosts, hosts) }),
      ...(cidrs && { cidrs: united(itsCidrs, cidrs) }),
      ports,
    });
  }
  return {
    apiVersion: API_VERSION,
    kind: "EgressRule",
    metadata: { name, namespace },
    spec: { to: [...entries.values()] },
  };
}

function united(some: readonly string[], more: readonly string[]): string[] {
  return [...new Set([...some, ...more])].sort();
}
