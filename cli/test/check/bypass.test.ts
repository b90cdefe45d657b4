import assert from "node:assert/strict";
import { test } from "node:test";
import type { Findings, Seen } from "@sallyport/cli/check/bypass/attempt";
import { parseTargets } from "@sallyport/cli/check/bypass/bypass";
import { expectationOf } from "@sallyport/cli/check/bypass/expectation";
import { judgeWay } from "@sallyport/cli/check/bypass/judge";
import { judgePod } from "@sallyport/cli/check/bypass/pod-rows";
import { allowedNames } from "@sallyport/cli/check/bypass/self-test";
import { judgeStanding } from "@sallyport/cli/check/bypass/standing";
import { NOBODY, waysFor } from "@sallyport/cli/check/bypass/ways";
import { Cluster, compile, type PolicySnapshot } from "@sallyport/core/snapshot";
import { InitConfig, type InitConfigInput } from "@sallyport/init/contract";

const init = (more: Partial<InitConfigInput> = {}) =>
  InitConfig.parse({ proxyUid: 31_337, proxyGid: 31_337, resolvers: ["10.96.0.10"], ...more });

type To = readonly {
  cidrs?: string[];
  hosts?: string[];
  ports: { port: number; protocol: "tls" | "tcp" | "http" }[];
}[];
const snapshotOf = (to: To): PolicySnapshot =>
  compile(
    [
      {
        ...{ apiVersion: "sallyport.dev/v1alpha1", kind: "EgressRule" },
        ...{ metadata: { name: "web", namespace: "shop" }, spec: { to: [...to] } },
      },
    ],
    [],
    { namespace: "shop", labels: {}, namespaceLabels: {} },
    { mode: "enforce", cluster: Cluster.parse({}), resolvers: [] },
  );
const named = snapshotOf([
  { hosts: ["*.example.com", "api.example.com"], ports: [{ port: 443, protocol: "tls" }] },
]);

const FINDINGS: Findings = {
  ...{ seen: [], recordsRead: true, hasIpv6: true, noNewPrivileges: true, uid: 1_000, gid: 1_000 },
  capabilities: { effective: "0", bounding: "0" },
};
const ways = waysFor({ uid: 31_337, gid: 31_337, excludePorts: [], names: {} }, NOBODY);

interface Case {
  readonly seen: Omit<Seen, "id">;
  readonly findings?: Partial<Findings>;
  readonly snapshot?: PolicySnapshot;
  readonly config?: Partial<InitConfigInput>;
  readonly mayBeRoot?: boolean;
}

function judged(id: string, { seen, findings, snapshot, config, mayBeRoot = false }: Case) {
  const way = ways.find((each) => each.id === id);
  assert.ok(way, id);
  const its = { ...FINDINGS, ...findings, seen: [{ id, ...seen }] };
  return judgeWay(way, its, { init: init(config), snapshot, mayBeRoot });
}

const failed = (error: string) => ({ outcome: "failed", error }) as const;
const allowed = (dialled_address: string) =>
  ({ verdict: "allow", reason: "allowed.rule", rule: "shop/web", dialled_address }) as const;

for (const [what, id, its, verdict, said] of [
  ["the kernel's own refusal of UDP", "quic_ipv4", { seen: failed("EPERM") }, "held", /EPERM/],
  [
    "UDP refused by whom nobody knows",
    "quic_ipv4",
    { seen: failed("ECONNREFUSED") },
    "unknown",
    /cannot be told/,
  ],
  [
    "UDP that nobody answered",
    "quic_ipv4",
    { seen: { outcome: "silent" } },
    "open",
    /left the pod/,
  ],
  ["UDP that was answered", "dns_udp", { seen: { outcome: "answered" } }, "open", /past/],
  [
    "IPv6 in a pod that has none",
    "quic_ipv6",
    { seen: failed("ENETUNREACH"), findings: { hasIpv6: false } },
    "held",
    /no IPv6/,
  ],
  [
    "IPv6 without a way, in a pod that has it",
    "quic_ipv6",
    { seen: failed("ENETUNREACH") },
    "unknown",
    /ENETUNREACH/,
  ],
  [
    "no IPv6 says nothing of IPv4",
    "quic_ipv4",
    { seen: failed("ENETUNREACH"), findings: { hasIpv6: false } },
    "unknown",
    /ENETUNREACH/,
  ],
  [
    "a family that is refused as a whole",
    "tcp_ipv6",
    { seen: failed("EPERM"), config: { ipv6: "reject" } },
    "held",
    /EPERM/,
  ],
  [
    "TCP that the sidecar has no record of",
    "tcp_ipv4",
    { seen: { outcome: "connected" } },
    "open",
    /no record/,
  ],
  [
    "TCP, where the records cannot be read",
    "tcp_ipv4",
    { seen: { outcome: "connected" }, findings: { recordsRead: false } },
    "unknown",
    /cannot be read/,
  ],
  ["TCP that nobody took", "tcp_ipv4", { seen: { outcome: "silent" } }, "open", /left the pod/],
  [
    "TCP that no sidecar took",
    "tcp_ipv4",
    { seen: failed("ECONNREFUSED") },
    "unknown",
    /not by the sidecar/,
  ],
  [
    "what the policy denies, permitted",
    "tcp_ipv4",
    { seen: { outcome: "connected", record: allowed(NOBODY.ipv4) }, snapshot: snapshotOf([]) },
    "open",
    /its policy denies/,
  ],
  [
    "a name that was believed",
    "tls_spoofed_name",
    { seen: { outcome: "connected", record: allowed("198.51.100.1") }, snapshot: named },
    "open",
    /believed the name/,
  ],
  [
    "a name that led to its own server",
    "tls_spoofed_name",
    { seen: { outcome: "connected", record: allowed("93.184.216.34") }, snapshot: named },
    "held",
    /itself leads, 93/,
  ],
  [
    "a name, where the policy is not known",
    "tls_spoofed_name",
    { seen: { outcome: "connected", record: allowed("198.51.100.1") } },
    "unknown",
    /not known/,
  ],
  [
    "a name at an address that a rule permits",
    "tls_spoofed_name",
    {
      seen: { outcome: "connected", record: allowed("198.51.100.1") },
      snapshot: snapshotOf([
        { cidrs: ["198.51.100.1/32"], ports: [{ port: 443, protocol: "tcp" }] },
      ]),
    },
    "open_on_purpose",
    /permits it/,
  ],
  [
    "a sidecar that takes its own listener's",
    "listener",
    { seen: { outcome: "connected", record: allowed("127.0.0.1") } },
    "open",
    /permitted/,
  ],
  [
    "a page that can be posted to",
    "admin_write",
    { seen: { outcome: "connected", status: 200 } },
    "open",
    /405 was expected/,
  ],
  [
    "pages that do not answer",
    "admin_read",
    { seen: failed("ECONNREFUSED") },
    "unknown",
    /no answer/,
  ],
  [
    "the sidecar's user, of whom nobody can be",
    "proxy_user",
    { seen: failed("EPERM") },
    "held",
    /EPERM/,
  ],
  [
    "the sidecar's user, by an image that may be root",
    "proxy_user",
    {
      seen: failed("EPERM"),
      findings: { capabilities: { effective: "0", bounding: "c0" } },
      mayBeRoot: true,
    },
    "unknown",
    /may be root/,
  ],
  [
    "root that keeps only SETUID",
    "proxy_user",
    {
      seen: failed("EPERM"),
      findings: { capabilities: { effective: "0", bounding: "80" } },
      mayBeRoot: true,
    },
    "held",
    /EPERM/,
  ],
] as const satisfies readonly (readonly [string, string, Case, string, RegExp])[])
  test(`${what}: ${verdict}`, () => {
    const row = judged(id, its);
    assert.equal(row.verdict, verdict, row.happened);
    assert.match(row.happened, said);
  });

test("a way of which the probe said nothing is unknown", () => {
  const [way] = ways;
  assert.ok(way);
  const row = judgeWay(way, FINDINGS, { init: init(), snapshot: undefined, mayBeRoot: false });
  assert.equal(row.verdict, "unknown");
});

for (const [config, protocol, address, port, expected] of [
  [{}, "tcp", "192.0.2.1", 443, "sidecar"],
  [{}, "udp", "192.0.2.1", 443, "refused"],
  [
    { excludeCidrs: ["192.0.2.0/24"] },
    "udp",
    "192.0.2.1",
    443,
    /exclude-outbound-cidrs: 192\.0\.2\.0\/24/,
  ],
  [{ excludePorts: [443] }, "tcp", "192.0.2.1", 443, /exclude-outbound-ports: 443/],
  [{ excludePorts: [443] }, "udp", "192.0.2.1", 443, "refused"],
  [{ includePorts: [80] }, "tcp", "192.0.2.1", 443, /include-outbound-ports: 80/],
  [{ includeCidrs: ["192.0.2.0/24"] }, "tcp", "192.0.2.1", 443, "sidecar"],
  [
    { includeCidrs: ["192.0.2.0/24"], excludePorts: [443] },
    "tcp",
    "192.0.2.1",
    443,
    /exclude-outbound-ports/,
  ],
  [{}, "udp", "10.96.0.10", 53, /name server/],
  [{}, "tcp", "10.96.0.10", 53, /name server/],
  [{}, "udp", "10.96.0.10", 443, "refused"],
  [{ clusterCidrs: ["10.0.0.0/8"] }, "udp", "10.1.2.3", 443, /inside the cluster/],
  [{ clusterCidrs: ["10.0.0.0/8"] }, "tcp", "10.1.2.3", 443, "sidecar"],
  [{ outsideUdp: "allow" }, "udp", "192.0.2.1", 443, /outsideUdp/],
  [{ ipv6: "reject", excludePorts: [443] }, "tcp", "2001:db8::1", 443, "refused"],
] as const satisfies readonly (readonly [
  Partial<InitConfigInput>,
  "tcp" | "udp",
  string,
  number,
  string | RegExp,
])[])
  test(`${JSON.stringify(config)}: ${address}:${port}/${protocol} ${expected}`, () => {
    const found = expectationOf(init(config), protocol, address, port);
    if (expected instanceof RegExp)
      assert.match(typeof found === "object" ? found.opened : "", expected);
    else assert.equal(found, expected);
  });

for (const [what, findings, mayBeRoot, verdict] of [
  ["has it", { capabilities: { effective: "2000", bounding: "2000" } }, false, "open"],
  [
    "could have it by a setuid program",
    { capabilities: { effective: "0", bounding: "2000" }, noNewPrivileges: false },
    false,
    "unknown",
  ],
  [
    "could not, for it gains no privileges",
    { capabilities: { effective: "0", bounding: "2000" } },
    false,
    "held",
  ],
  [
    "may be root by its image",
    { capabilities: { effective: "0", bounding: "2000" } },
    true,
    "unknown",
  ],
  [
    "has dropped it for good",
    { capabilities: { effective: "0", bounding: "1fff" }, noNewPrivileges: false },
    true,
    "held",
  ],
  [
    "says nothing that is read",
    { capabilities: { effective: "", bounding: "" } },
    false,
    "unknown",
  ],
] as const)
  test(`NET_RAW, of a container that ${what}: ${verdict}`, () => {
    const rows = judgeStanding({ ...FINDINGS, ...findings }, mayBeRoot);
    assert.equal(rows.find(({ way }) => way === "raw_sockets")?.verdict, verdict);
  });

const status = (finishedAt: string | undefined, startedAt: string | undefined) => ({
  status: {
    initContainerStatuses: [
      {
        name: "sallyport-init",
        state: finishedAt ? { terminated: { exitCode: 0, finishedAt } } : {},
      },
      { name: "sallyport-proxy", state: { running: { startedAt: "2026-01-01T00:00:00Z" } } },
    ],
    containerStatuses: [{ name: "app", state: startedAt ? { running: { startedAt } } : {} }],
  },
});
for (const [finished, started, verdict] of [
  ["2026-01-01T00:00:01Z", "2026-01-01T00:00:03Z", "held"],
  ["2026-01-01T00:00:01Z", "2026-01-01T00:00:01Z", "held"],
  ["2026-01-01T00:00:03Z", "2026-01-01T00:00:01Z", "open"],
  [undefined, "2026-01-01T00:00:01Z", "unknown"],
  ["2026-01-01T00:00:01Z", undefined, "unknown"],
] as const)
  test(`rules at ${finished}, an app at ${started}: ${verdict}`, () => {
    const subject = { imageSaysAsWhom: false, init: init() };
    const rows = judgePod(status(finished, started), subject);
    assert.equal(rows.find(({ way }) => way === "before_ready")?.verdict, verdict);
  });

test("an excluded range is told and not tried", () => {
  const subject = { imageSaysAsWhom: true, init: init({ excludeCidrs: ["10.0.0.0/8"] }) };
  const rows = judgePod(status(undefined, undefined), subject);
  const row = rows.find(({ way }) => way === "excluded_range");
  assert.deepEqual(
    [row?.verdict, row?.happened],
    ["open_on_purpose", "annotation sallyport.dev/exclude-outbound-cidrs: 10.0.0.0/8"],
  );
});

test("no two attempts have an address and a port in common, by which the sidecar's records are told apart", () => {
  for (const port of [1, 52, 53, 80, 443, 853, 8_443, 8_999, 65_535]) {
    const its = waysFor(
      { uid: 1, gid: 1, excludePorts: [443, 853, 9_000], names: {} },
      { ipv4: "192.0.2.9", ipv6: "2001:db8::9", port },
    ).flatMap(({ attempt }) => {
      const each = attempt.kind === "become" ? attempt.next : attempt;
      return each.kind === "tcp" || each.kind === "tls" ? [`${each.address} ${each.port}`] : [];
    });
    assert.equal(new Set(its).size, its.length, `--target …:${port}: ${its.join(", ")}`);
  }
});

test("of the names that a policy permits one is claimed, an exact one first", () => {
  assert.deepEqual(allowedNames(named), { tls: "api.example.com", http: undefined });
  const wild = snapshotOf([{ hosts: ["*.example.com"], ports: [{ port: 443, protocol: "tls" }] }]);
  assert.equal(allowedNames(wild).tls, "www.example.com");
  assert.deepEqual(allowedNames(undefined), { tls: undefined, http: undefined });
});

test("--target takes one address of each family", () => {
  assert.deepEqual(parseTargets([]), NOBODY);
  assert.deepEqual(parseTargets(["93.184.216.34:9000", "[2606:2800::1]:9000"]), {
    ...{ ipv4: "93.184.216.34", ipv6: "2606:2800::1", port: 9_000 },
  });
  for (const text of ["example.com:443", "1.2.3.4", "1.2.3.4:0", "2606:2800::1:443", "[::1]"])
    assert.throws(() => parseTargets([text]), /expected ADDRESS:PORT/);
});
