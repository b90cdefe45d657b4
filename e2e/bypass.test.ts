import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { selfTest } from "@sallyport/cli/check/bypass/self-test";
import { isLeaky, type Row, type Verdict } from "@sallyport/cli/check/bypass/verdict";
import { NOBODY } from "@sallyport/cli/check/bypass/ways";
import { readDump } from "@sallyport/cli/fleet/in-force";
import { InitConfig } from "@sallyport/init/contract";
import { EgressPod, type Policy, REAL, RESOLVER } from "./support/egress-pod.ts";
import { USER } from "./support/sidecar-pod.ts";

/**
 * The probe of `sallyport check --bypass` in a pod with the real rules and the real sidecar, and a world that answers all
 * that it tries; and with what holds taken away, that it says so.
 */

/** Where the probe goes: here somebody is there. */
const PLACES = [NOBODY.ipv4, NOBODY.ipv6, "198.51.100.1", "203.0.113.1"];
const listening = {
  plain: [NOBODY.port, NOBODY.port + 1, 853, 5432],
  udp: [NOBODY.ipv4, NOBODY.ipv6].flatMap((address) =>
    [53, 443, NOBODY.port].map((port) => [address, port] as const),
  ),
};
const policy: Policy = {
  rules: {
    web: [
      { hosts: ["www.example.com"], ports: [{ port: 443, protocol: "tls" }] },
      { hosts: ["www.example.com"], ports: [{ port: 80, protocol: "http" }] },
    ],
  },
};
const zone = { "www.example.com": { A: [REAL] } };

interface Given {
  readonly policy?: Policy;
  readonly init?: Partial<InitConfig>;
}

type Bed = Given & { readonly pod: EgressPod };

async function bedWith(t: Parameters<typeof EgressPod.open>[0], given: Given = {}): Promise<Bed> {
  const its = { policy, ...given };
  return { ...its, pod: await EgressPod.open(t, { ...its, zone, listening, addresses: PLACES }) };
}

const APP = ["--reuid", "1000", "--regid", "1000", "--bounding-set", "-all", "--no-new-privs"];
/** As containers are that say nothing of it: root, with what runtimes leave to root. */
const ROOT = ["--bounding-set", "-all,+setuid,+setgid,+net_raw"];

async function tried({ pod, init }: Bed, as: readonly string[] = APP): Promise<readonly Row[]> {
  const { sidecar } = pod;
  const { snapshot } = readDump(JSON.parse(await sidecar.admin("/config_dump")), "web-0");
  const config = { proxyUid: USER, proxyGid: USER, resolvers: [RESOLVER], ...init };
  return await selfTest(
    { init: InitConfig.parse(config), snapshot, mayBeRoot: as === ROOT },
    NOBODY,
    async (args) =>
      JSON.parse(
        await sidecar.pod.run(
          ...["setpriv", ...as, "--clear-groups", "--inh-caps", "-all", "--"],
          ...[process.execPath, ...args],
        ),
      ),
  );
}

/** The ways that came to this, and nothing else did. */
function thoseOf(rows: readonly Row[], verdict: Verdict): string[] {
  return rows.filter((row) => row.verdict === verdict).map(({ way }) => way);
}

function row(rows: readonly Row[], id: string): Row {
  const found = rows.find(({ way }) => way === id);
  assert.ok(found, id);
  return found;
}

const TCP4 = ["tcp_ipv4", "dns_tls", "tls_without_name"];
/** The world has nobody there: it refuses, as anybody may. */
const REFUSED = ["dns_tcp"];
const SPOOFED = ["tls_spoofed_name", "http_spoofed_host", "http_connect"];
const UDP4 = ["quic_ipv4", "udp_ipv4", "dns_udp"];
const UDP6 = ["quic_ipv6", "udp_ipv6", "dns_udp_ipv6"];
const ALWAYS_OPEN = ["admin_read"];

function assertWays(rows: readonly Row[], verdict: Verdict, ways: readonly string[]): void {
  assert.deepEqual(thoseOf(rows, verdict).sort(), [...ways].sort(), JSON.stringify(rows, null, 1));
}

const whole = await bedWith({ after });
const atFirst = await tried(whole);

describe("a pod as it is injected", () => {
  const rows = atFirst;

  test("every way around holds, while somebody would have answered each", () => {
    assertWays(rows, "open", []);
    assertWays(rows, "unknown", []);
    assertWays(rows, "open_on_purpose", ALWAYS_OPEN);
    assertWays(rows, "untried", ["other_protocols"]);
    assert.equal(isLeaky(rows), false);
    for (const place of PLACES) assert.deepEqual(whole.pod.witness.visitsAt(place), [], place);
  });
  test("an allowed name claimed at another address leads to its own server", () => {
    for (const way of ["tls_spoofed_name", "http_spoofed_host"])
      assert.match(row(rows, way).happened, new RegExp(`itself leads, ${REAL}, by shop/web$`));
  });
  test("what refused is told: the pod's own rules, or the sidecar with its reason", () => {
    assert.match(row(rows, "quic_ipv4").happened, /own rules refused it \(EPERM\)/);
    assert.match(row(rows, "tcp_ipv6").happened, /the sidecar refused it: denied\.no_rule/);
    assert.match(row(rows, "listener").happened, /denied\.loop/);
  });
});

describe("what holds, taken away", () => {
  for (const [what, commands, open, unknown] of [
    [
      "the filter rules",
      [
        ["iptables", "-F", "OUTPUT"],
        ["ip6tables", "-F", "OUTPUT"],
      ],
      [...UDP4, ...UDP6],
      [],
    ],
    [
      "the rules of IPv6",
      [
        ["ip6tables", "-F", "OUTPUT"],
        ["ip6tables", "-t", "nat", "-F", "OUTPUT"],
      ],
      ["tcp_ipv6", ...UDP6],
      [],
    ],
    [
      "the redirect, while the filter still refuses: who refused cannot be told",
      [["iptables", "-t", "nat", "-F", "OUTPUT"]],
      [],
      [...TCP4, ...SPOOFED, ...REFUSED],
    ],
    [
      "redirect and filter",
      [
        ["iptables", "-F", "OUTPUT"],
        ["iptables", "-t", "nat", "-F", "OUTPUT"],
      ],
      [...TCP4, ...SPOOFED, ...UDP4],
      REFUSED,
    ],
  ] as const)
    test(`is found: ${what}`, async (t) => {
      const bed = await bedWith(t);
      for (const command of commands) await bed.pod.sidecar.pod.run(...command);
      const rows = await tried(bed);
      assertWays(rows, "open", open);
      assertWays(rows, "unknown", unknown);
      assert.equal(isLeaky(rows), true);
    });

  test("is found: a container that is root and keeps SETUID, SETGID and NET_RAW", async (t) => {
    const bed = await bedWith(t);
    const rows = await tried(bed, ROOT);
    assertWays(rows, "open", ["proxy_user", "raw_sockets"]);
    assert.match(row(rows, "proxy_user").happened, /uid 0 became it, .*not redirected/);
    assert.equal(bed.pod.witness.visitsAt(NOBODY.ipv4).length, 1);
  });
});

test("what is open on purpose is no hole: it is said by what", async (t) => {
  const init = { excludePorts: [5432], outsideUdp: "allow" as const };
  const rows = await tried(await bedWith(t, { init }));
  assertWays(rows, "open", []);
  assertWays(rows, "open_on_purpose", [...["tcp_excluded_5432", ...UDP4, ...UDP6, ...ALWAYS_OPEN]]);
  assert.match(
    row(rows, "tcp_excluded_5432").happened,
    /^annotation sallyport\.dev\/exclude-outbound-ports: 5432; connected/,
  );
  assert.equal(isLeaky(rows), false);
});

test("a policy that audits permits, and says what it would have said; it had the connections all the same", async (t) => {
  const rows = await tried(await bedWith(t, { policy: { ...policy, mode: "audit" } }));
  assertWays(rows, "open", []);
  assert.match(
    row(rows, "tcp_ipv4").happened,
    /^the policy audits; enforced it would be denied\.no_rule$/,
  );
  assert.match(
    row(rows, "tls_spoofed_name").happened,
    /^the policy audits, and what is dialled is reached: allowed\.rule, by shop\/web$/,
  );
});

test("a rule that permits the address itself is named", async (t) => {
  const permitting: Policy = {
    rules: {
      there: [{ cidrs: [`${NOBODY.ipv4}/32`], ports: [{ port: NOBODY.port, protocol: "tcp" }] }],
    },
  };
  const rows = await tried(await bedWith(t, { policy: permitting }));
  assertWays(rows, "open_on_purpose", ["tcp_ipv4", ...ALWAYS_OPEN]);
  assert.match(row(rows, "tcp_ipv4").happened, /permits it: allowed\.rule, by shop\/there$/);
});
