import assert from "node:assert/strict";
import { test } from "node:test";
import { Cluster } from "@sallyport/core/snapshot";
import { clusterFacts, type Found, type Given } from "../../src/rules/cluster-facts.ts";
import { pod, service, slice } from "./plain.ts";

const GIVEN: Given = {
  cluster: Cluster.parse({ ranges: ["10.96.0.0/16", "10.244.0.0/16"] }),
  resolvers: ["10.96.0.10"],
};
const NOTHING: Found = { pods: [], services: [], slices: [], nodes: [], serviceRanges: [] };
const facts = (found: Partial<Found>, given: Partial<Given> = {}) =>
  clusterFacts({ ...GIVEN, ...given }, { ...NOTHING, ...found });

const HTTP = [{ name: "http", port: 80 }];
const web = service("web", ["10.96.0.7"], { ports: HTTP });
const node = { podRanges: [], addresses: ["172.18.0.2"] };
const ports = (...list: [number, ...string[]][]) =>
  list.map(([port, ...endpoints]) => ({
    port,
    endpoints: endpoints.map((text) => {
      const [address = "", to = ""] = text.split(" ");
      return { address, port: Number(to) };
    }),
  }));
const leads = (...list: Parameters<typeof ports>) => [
  { namespace: "shop", name: "web", addresses: ["10.96.0.7"], ports: ports(...list) },
];

for (const [what, found, expected] of [
  ["no endpoints", { services: [web] }, []],
  ["pods of the cluster", { services: [web], slices: [slice("web", ["10.244.1.1"], HTTP)] }, []],
  ["nodes", { services: [web], slices: [slice("web", ["172.18.0.2"], HTTP)], nodes: [node] }, []],
  [
    "a pod in no known range",
    {
      services: [web],
      slices: [slice("web", ["192.168.1.1"], HTTP)],
      pods: [pod("a", ["192.168.1.1"])],
    },
    [],
  ],
  [
    "one endpoint outside: all of them are told",
    { services: [web], slices: [slice("web", ["203.0.113.9", "10.244.1.1"], HTTP)] },
    leads([80, "10.244.1.1 80", "203.0.113.9 80"]),
  ],
  [
    "in another slice, and in IPv6",
    {
      services: [web],
      slices: [slice("web", ["10.244.1.1"], HTTP), slice("web", ["2001:DB8::1"], HTTP)],
    },
    leads([80, "10.244.1.1 80", "2001:db8::1 80"]),
  ],
  [
    "one that is not ready makes it lead out, and is none to go to",
    { services: [web], slices: [slice("web", ["203.0.113.9 not", "10.244.1.1"], HTTP)] },
    leads([80, "10.244.1.1 80"]),
  ],
  [
    "none is ready: all are told",
    { services: [web], slices: [slice("web", ["203.0.113.9 not"], HTTP)] },
    leads([80, "203.0.113.9 80"]),
  ],
  [
    "ports go by their names, and one that is not there goes nowhere",
    {
      services: [
        service("web", ["10.96.0.7"], {
          ports: [...HTTP, { name: "tls", port: 443 }, { name: "x", port: 99 }],
        }),
      ],
      slices: [
        slice(
          "web",
          ["203.0.113.9"],
          [
            { name: "tls", port: 8443 },
            { name: "http", port: 8080 },
          ],
        ),
      ],
    },
    leads([80, "203.0.113.9 8080"], [99], [443, "203.0.113.9 8443"]),
  ],
  [
    "a port that is not said is the Service's own",
    {
      services: [web],
      slices: [slice("web", ["203.0.113.9"], [{ name: "http", port: undefined }])],
    },
    leads([80, "203.0.113.9 80"]),
  ],
  [
    "a Service without a cluster IP",
    {
      services: [service("web", [], { ports: HTTP })],
      slices: [slice("web", ["203.0.113.9"], HTTP)],
    },
    [],
  ],
  [
    "a slice of a Service of that name elsewhere",
    { services: [web], slices: [slice("web", ["203.0.113.9"], HTTP, { namespace: "other" })] },
    [],
  ],
] as const)
  test(`Services that lead out: ${what}`, () => {
    const { cluster } = facts(found as Partial<Found>);
    assert.deepEqual(
      cluster.leadingOut.map((each) => ({
        ...each,
        ports: [...each.ports].sort((a, b) => a.port - b.port),
      })),
      expected.map((each) => ({ ...each, ports: [...each.ports].sort((a, b) => a.port - b.port) })),
    );
    assert.equal(Cluster.safeParse(cluster).success, true, "a sidecar can read it");
  });

test("the API server is told by its cluster IP and by the endpoints that it keeps itself, and leads nowhere out", () => {
  const https = [{ name: "https", port: 443 }];
  const own = { namespace: "default", name: "kubernetes" };
  const kept = slice("kubernetes", ["203.0.113.5"], [{ name: "https", port: 6443 }], own);
  const forged = slice("kubernetes", ["198.51.100.66"], https, { ...own, name: "forged" });
  const { cluster } = facts({
    services: [service("kubernetes", ["10.96.0.1"], { ...own, ports: https })],
    slices: [kept, forged],
  });
  assert.deepEqual(cluster.endpoints, [
    { address: "10.96.0.1", port: 443 },
    { address: "203.0.113.5", port: 6443 },
  ]);
  assert.deepEqual(cluster.leadingOut, []);
});

test("resolvers: those that are given, else the cluster's DNS, else none, which is told", () => {
  const dns = service("kube-dns", ["10.96.0.53", "fd00::53"], { namespace: "kube-system" });
  assert.deepEqual(facts({ services: [dns] }).resolvers, ["10.96.0.10"]);
  assert.deepEqual(facts({ services: [dns] }, { resolvers: [] }).resolvers, [
    "10.96.0.53",
    "fd00::53",
  ]);
  const none = facts({}, { resolvers: [] });
  assert.deepEqual(none.resolvers, []);
  assert.match(none.misses[0]?.text ?? "", /no resolver is known/);
});

test("ExternalName Services are told as they are, before what the installation says of the same", () => {
  const cluster = Cluster.parse({
    externalNames: [
      { namespace: "shop", name: "mail", externalName: "old.example.com" },
      { namespace: "shop", name: "given", externalName: "given.example.com" },
    ],
  });
  const found = facts(
    { services: [service("mail", [], { externalName: "mail.example.com" }), service("none", [])] },
    { cluster },
  );
  assert.deepEqual(found.cluster.externalNames, [
    { namespace: "shop", name: "given", externalName: "given.example.com" },
    { namespace: "shop", name: "mail", externalName: "mail.example.com" },
  ]);
});

test("what is known in another order is the same cluster", () => {
  const found = {
    pods: [pod("a", ["192.168.1.1"]), pod("b", ["192.168.1.2"])],
    services: [
      web,
      service("db", ["10.96.0.8"], { ports: HTTP }),
      service("x", [], { externalName: "x.test" }),
    ],
    slices: [
      slice("web", ["203.0.113.9", "203.0.113.8"], HTTP),
      slice("db", ["203.0.113.7"], HTTP),
    ],
    nodes: [node, { podRanges: ["10.1.0.0/24"], addresses: ["172.18.0.1"] }],
    serviceRanges: [{ ranges: ["10.98.0.0/16"] }, { ranges: ["10.97.0.0/16"] }],
  };
  const reversed = Object.fromEntries(
    Object.entries(found).map(([key, list]) => [key, [...list].reverse()]),
  );
  assert.deepEqual(facts(reversed).cluster, facts(found).cluster);
});

const many = <T>(count: number, each: (i: number) => T) =>
  Array.from({ length: count }, (_, i) => each(i));
const address = (i: number) => `203.0.${i >> 8}.${i & 255}`;

test("of the aliases of one namespace so many count, and those of others as ever", () => {
  const aliases = many(600, (i) =>
    service(`a${1_000 + i}`, [], { externalName: "x.test", namespace: "crowded" }),
  );
  const found = facts({ services: [...aliases, service("z", [], { externalName: "z.test" })] });
  const { externalNames } = found.cluster;
  assert.equal(externalNames.length, 501);
  assert.equal(externalNames.at(-1)?.externalName, "z.test");
  assert.match(
    found.misses.map(({ text }) => text).join(),
    /namespace crowded has more Services of type ExternalName than the 500 .*100 Services, crowded\/a1500/,
  );
});

test("Services of one namespace with too many endpoints lead nowhere, and are not taken for the cluster's own", () => {
  const services = many(3, (i) =>
    service(`s${i}`, [`10.96.1.${i}`], { ports: HTTP, namespace: "crowded" }),
  );
  const slices = many(3, (i) => slice(`s${i}`, many(900, address), HTTP, { namespace: "crowded" }));
  const found = facts({
    services: [...services, web],
    slices: [...slices, slice("web", ["203.0.113.9"], HTTP)],
  });
  assert.deepEqual(
    found.cluster.leadingOut.map(({ ports }) => ports[0]?.endpoints.length),
    [900, 900, 1, undefined],
  );
  assert.match(found.misses.map(({ text }) => text).join(), /1 Services, crowded\/s2/);
});

test("a Service that leads out and has no port of TCP is no miss", () => {
  const found = facts({
    services: [service("dns", ["10.96.0.8"])],
    slices: [slice("dns", ["203.0.113.9"], [])],
  });
  assert.deepEqual([found.cluster.leadingOut.length, found.misses], [1, []]);
});

test("a Service of very many ports and endpoints leads nowhere, before their product is made", () => {
  const wide = many(1_000, (i) => ({ name: `p${i}`, port: 1_000 + i }));
  const found = facts({
    services: [service("wide", ["10.96.1.1"], { ports: wide })],
    slices: many(5, (i) => slice("wide", many(1_000, address), wide, { name: `wide-${i}` })),
  });
  assert.deepEqual(
    found.cluster.leadingOut.map(({ ports }) => ports),
    [[]],
  );
  assert.match(found.misses.map(({ text }) => text).join(), /shop\/wide for instance, are refused/);
});
