import { type Cidr, cidrContains, parseAddress, parseCidr } from "@sallyport/core/address";
import type { Attempt } from "@sallyport/core/decision";
import type { PolicySnapshot } from "@sallyport/core/snapshot";

/** What one would write first: parsed once, and then every clause looked at. It knows nothing of special ranges. */
export function naivePolicy(snapshot: PolicySnapshot): (attempt: Attempt) => "allow" | "deny" {
  const clauses = snapshot.rules.map(({ hosts = [], cidrs = [], ports }) => ({
    hosts,
    cidrs: cidrs.map(parseCidr).filter((cidr): cidr is Cidr => !(cidr instanceof Error)),
    ports,
  }));
  return ({ address: text, port, seen }) => {
    const address = parseAddress(text);
    const name = seen?.name;
    const isAllowed = clauses.some(({ hosts, cidrs, ports }) => {
      if (!ports.some(({ port: first, endPort = first }) => first <= port && port <= endPort))
        return false;
      if (address && cidrs.some((cidr) => cidrContains(cidr, address))) return true;
      return hosts.some((host) =>
        host.startsWith("*.") ? name?.endsWith(host.slice(1)) : host === name,
      );
    });
    return isAllowed ? "allow" : "deny";
  };
}
