import fc from "fast-check";
import type { Seen } from "../src/decision.ts";
import type { Destination } from "../src/rules.ts";
import type { Cluster } from "../src/snapshot.ts";

/** A world small enough that rules, names and addresses meet: what the properties and the reference draw from. */
export const NAMES = ["a.test", "b.test", "x.a.test", "y.x.a.test", "db.test"] as const;
/** Of Services: one of the pod's own namespace, one of another, and one that is none because it leads into the cluster. */
export const EXTERNAL_NAMES: Cluster["externalNames"] = [
  { namespace: "shop", name: "own", externalName: "a.test" },
  { namespace: "blog", name: "theirs", externalName: "x.a.test" },
  { namespace: "shop", name: "inner", externalName: "db.shop.svc.cluster.local" },
];
export const ALIASES = ["own", "own.shop.svc", "theirs", "theirs.blog", "inner.shop"] as const;
export const ADDRESSES = [
  ...["8.8.8.8", "8.8.4.4", "9.9.9.9", "6.6.6.6", "10.0.0.1", "10.1.0.1", "169.254.169.254"],
  ...["2600::1", "2600:1::1", "fd00::1", "64:ff9b::808:808", "64:ff9b::a00:1", "2002:808:808::1"],
] as const;
const HOSTS = [
  ...NAMES,
  "own",
  "theirs.blog",
  "inner.shop",
  "*.test",
  "*.a.test",
  "*.x.a.test",
] as const;
const CIDRS = [
  ...["0.0.0.0/0", "8.8.0.0/16", "8.8.8.8/32", "9.9.9.9/32", "6.0.0.0/8", "10.0.0.0/8"],
  ...["10.1.0.0/16", "10.0.0.1/32", "169.254.0.0/16", "169.254.169.254/32", "0.0.0.0/1"],
  ...["::/0", "2600::/16", "2600:1::/32", "fd00::/8", "64:ff9b::/96", "2002::/16"],
] as const;
export const PORTS = [1, 2, 3] as const;

const ports = fc
  .record({
    port: fc.constantFrom(...PORTS),
    more: fc.constantFrom(0, 0, 1, 2),
    protocol: fc.constantFrom("tls", "http", "https", "tcp"),
  })
  .map(({ port, more, protocol }) => ({
    port,
    ...(more > 0 && { endPort: port + more }),
    protocol: protocol as Destination["ports"][number]["protocol"],
  }));

export const destination: fc.Arbitrary<Destination> = fc
  .record({
    hosts: fc.option(fc.uniqueArray(fc.constantFrom(...HOSTS), { minLength: 1, maxLength: 2 })),
    cidrs: fc.option(fc.uniqueArray(fc.constantFrom(...CIDRS), { minLength: 1, maxLength: 2 })),
    ports: fc.array(ports, { minLength: 1, maxLength: 2 }),
  })
  .filter(({ hosts, cidrs }) => hosts !== null || cidrs !== null)
  .map(({ hosts, cidrs, ports: list }) => {
    const isWildcard = hosts?.some((host) => host.startsWith("*."));
    return {
      ...(hosts && { hosts }),
      ...(cidrs && { cidrs }),
      ports: list.map((one) =>
        isWildcard && one.protocol === "tcp" ? { ...one, protocol: "tls" as const } : one,
      ),
    };
  });

const list = (maxLength: number) => fc.array(destination, { maxLength });

export interface RandomLists {
  readonly rules: readonly Destination[];
  readonly baseline: readonly Destination[];
  readonly deny: readonly Destination[];
  readonly ceilings: readonly (readonly Destination[])[];
  readonly cluster: Partial<Cluster>;
}

export const lists: fc.Arbitrary<RandomLists> = fc
  .record({
    rules: list(4),
    allow: fc.option(list(3), { freq: 2 }),
    second: fc.option(list(3), { freq: 2 }),
    deny: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, list(2)),
    baseline: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, list(2)),
    isClustered: fc.boolean(),
  })
  .map(({ allow, second, isClustered, ...rest }) => ({
    ...rest,
    ceilings: [allow, second].filter((one) => one !== null),
    cluster: isClustered
      ? {
          ranges: ["10.1.0.0/16"],
          nodes: ["6.6.6.0/24"],
          endpoints: [{ address: "9.9.9.9", port: 2 }],
          externalNames: EXTERNAL_NAMES,
        }
      : { externalNames: EXTERNAL_NAMES },
  }));

const name = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...NAMES) },
  fc.constantFrom(...ALIASES),
);
export const seen: fc.Arbitrary<Seen> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ protocol: fc.constantFrom("tls", "http"), name }) },
  fc.record({ protocol: fc.constantFrom("tls", "http", "http2", "opaque", "silent") }),
  fc.record({ protocol: fc.constantFrom("tls", "http"), invalidName: fc.constant("8.8.8.8") }),
  fc.record({ protocol: fc.constantFrom("tls", "http"), malformed: fc.constant("twice"), name }),
) as fc.Arbitrary<Seen>;

export const address = fc.constantFrom(...ADDRESSES);
export const port = fc.constantFrom(...PORTS);

/** Addresses of every name of this world. */
export const resolved: fc.Arbitrary<Readonly<Record<string, readonly string[]>>> = fc.record(
  Object.fromEntries(
    [...NAMES, ...ALIASES].map((one) => [one, fc.uniqueArray(address, { maxLength: 3 })] as const),
  ),
);
