import type { Attempt } from "@sallyport/core/decision";
import {
  type Clause,
  Cluster,
  type PolicySnapshot,
  SNAPSHOT_SCHEMA,
} from "@sallyport/core/snapshot";

/** Half of the hosts exact and half wildcards; half of the CIDRs IPv4 and half IPv6; ten entries of a hundred to a rule. */
export function snapshotOfMany(size: number): PolicySnapshot {
  const hosts = Array.from({ length: size }, (_, i) => (i % 2 === 0 ? exact(i) : `*.${below(i)}`));
  const cidrs = Array.from({ length: size }, (_, i) => (i % 2 === 0 ? v4(i) : v6(i)));
  const clauses: Clause[] = [];
  for (let first = 0; first < size; first += 100) {
    const place = { rule: `shop/rule-${Math.floor(first / 1_000)}`, entry: (first / 100) % 10 };
    clauses.push(
      {
        ...place,
        hosts: hosts.slice(first, first + 100),
        ports: [{ port: 443, protocol: "tls" }],
      },
      {
        ...place,
        cidrs: cidrs.slice(first, first + 100),
        ports: [{ port: 5432, protocol: "tcp" }],
      },
    );
  }
  return {
    schema: SNAPSHOT_SCHEMA,
    mode: "enforce",
    namespace: "shop",
    rules: clauses,
    baseline: [],
    deny: [],
    ceilings: [],
    cluster: { ...Cluster.parse({}), ranges: ["10.0.0.0/8"] },
    resolvers: ["10.96.0.10"],
  };
}

const exact = (i: number) => `host-${i}.zone-${i % 97}.example.com`;
const below = (i: number) => `zone-${i}.example.net`;
/** Neighbours leave gaps, and lengths differ. */
const v4 = (i: number) => `20.${i >> 8}.${i & 255}.0/${i % 4 === 0 ? 24 : 25}`;
const v6 = (i: number) => `2600:${i.toString(16)}::/${i % 3 === 0 ? 48 : 32}`;

/** What is decided: a title, an attempt and the verdict. */
export function ATTEMPTS(size: number): (readonly [string, Attempt, "allow" | "deny"])[] {
  const even = (size >> 2) << 1;
  const odd = even + (even + 1 < size ? 1 : -1);
  const address = "93.184.215.14";
  const answers = { addressesOf: () => [address, "93.184.215.15"], namesOf: () => [] };
  const tls = (name: string): Attempt => ({
    address,
    port: 443,
    seen: { protocol: "tls", name },
    answers,
  });
  return [
    ["an exact host", tls(exact(even)), "allow"],
    ["a wildcard", tls(`a.b.${below(odd)}`), "allow"],
    ["an IPv4 CIDR", { address: v4(even).replace(/0\/.*/, "7"), port: 5432 }, "allow"],
    ["an IPv6 CIDR", { address: v6(odd).replace(/\/.*/, "7"), port: 5432 }, "allow"],
    ["no host", tls("www.elsewhere.test"), "deny"],
    ["no IPv4 CIDR", { address: "21.0.0.7", port: 5432 }, "deny"],
    ["no IPv6 CIDR", { address: "2700::7", port: 5432 }, "deny"],
  ];
}
