import { API_VERSION, type Destination, type EgressRule } from "@sallyport/core/rules";

interface Entry {
  readonly hosts: Set<string>;
  readonly cidrs: Set<string>;
  readonly ports: Destination["ports"];
}

/** One rule for all of these: what goes to the same ports, by name or within the same ranges, shares an entry. */
export function combine(rules: readonly EgressRule[], name: string, namespace: string): EgressRule {
  const entries = new Map<string, Entry>();
  for (const { hosts = [], cidrs = [], ports } of rules.flatMap(({ spec }) => spec.to)) {
    const key = JSON.stringify([ports, hosts.length > 0 ? cidrs : "addresses"]);
    const entry = entries.get(key) ?? { hosts: new Set(), cidrs: new Set(), ports };
    entries.set(key, entry);
    for (const host of hosts) entry.hosts.add(host);
    for (const cidr of cidrs) entry.cidrs.add(cidr);
  }
  return {
    apiVersion: API_VERSION,
    kind: "EgressRule",
    metadata: { name, namespace },
    spec: { to: [...entries.values()].map(destinationOf) },
  };
}

function destinationOf({ hosts, cidrs, ports }: Entry): Destination {
  return {
    ...(hosts.size > 0 && { hosts: [...hosts].sort() }),
    ...(cidrs.size > 0 && { cidrs: [...cidrs].sort() }),
    ports,
  };
}
