import assert from "node:assert/strict";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { Bed, verdictOf } from "./clients/bed.ts";
import { lacking } from "./clients/programs.ts";
import { startWeb } from "./clients/servers.ts";

/** Clients that take their time, and names whose first address is of no use. */
const DARK = "2606:2800:220:1::30";
const CLOSED = "93.184.216.31";
const SERVING = "93.184.216.32";
const SERVING6 = "2606:2800:220:1::32";
const bed = await Bed.open(
  { after },
  {
    rules: {
      web: [
        { hosts: ["*.example.com"], ports: [{ port: 443, protocol: "tls" }] },
        { hosts: ["*.example.com"], ports: [{ port: 80, protocol: "http" }] },
      ],
    },
    zone: {
      "*.example.com": { A: [SERVING] },
      "dual.example.com": { AAAA: [DARK], A: [SERVING] },
      "two.example.com": { A: [CLOSED, SERVING] },
      "six.example.com": { AAAA: [SERVING6] },
    },
  },
);
await startWeb(bed);
const drop = ["-p", "tcp", "-j", "DROP"];
await bed.world.run("ip6tables", "-A", "INPUT", "-d", DARK, ...drop);
const reject = ["-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset"];
await bed.world.run("iptables", "-A", "INPUT", "-d", CLOSED, ...reject);
// With a global address of its own, the pod's resolver puts IPv6 first (RFC 6724 §5).
const GLOBAL = "2606:2800:220:2::2";
await bed.pod.run("ip", "address", "add", `${GLOBAL}/128`, "dev", "eth0", "nodad");
await bed.world.run("ip", "route", "add", GLOBAL, "via", "fd20::2");

const patient = (name: string, ...args: readonly string[]) =>
  bed.run([process.execPath, join(import.meta.dirname, "clients/patient.ts"), name, ...args], {
    env: { NODE_EXTRA_CA_CERTS: bed.authority },
  });
const allowedAs = (name: string) =>
  `allowed.rule by shop/web, *.example.com:443, for ${name} of sni`;

describe("time", { concurrency: true }, () => {
  test("a client that says nothing for 3 s, and then begins its handshake, is served", async () => {
    const name = "slow.example.com";
    const { stdout, stderr } = await patient(name, "1", "3000", "0");
    assert.equal(stdout, "done\n", stderr);
    const [record] = await bed.recordsOf(name);
    assert.equal(verdictOf(record), allowedAs(name));
  });

  test("200 connections that were opened 4 s ahead of need, and are idle in between, are served", async () => {
    const name = "pool.example.com";
    const { stdout, stderr } = await patient(name, "200", "4000", "2000");
    assert.equal(stdout, "done\n", stderr);
    const verdicts = (await bed.recordsOf(name, 200)).map(verdictOf);
    assert.deepEqual([verdicts.length, ...new Set(verdicts)], [200, allowedAs(name)]);
  });
});

describe("addresses", { skip: lacking("curl") }, () => {
  const get = (url: string) =>
    bed.run([
      ...["curl", "--silent", "--show-error", "--max-time", "10", "--cacert", bed.authority],
      ...["--write-out", "%{remote_ip} %{time_total}", "--output", "/dev/null", url],
    ]);

  for (const [name, original, dialled, what] of [
    ["dual.example.com", DARK, SERVING, "whose IPv6 address does not answer"],
    ["two.example.com", CLOSED, SERVING, "whose first address refuses"],
    ["six.example.com", SERVING6, SERVING6, "that has IPv6 only"],
  ] as const)
    for (const scheme of ["https", "http"] as const)
      test(`curl gets a page by ${scheme} of a name ${what}`, async () => {
        const { status, stdout, stderr } = await get(`${scheme}://${name}/`);
        assert.equal(status, 0, stderr);
        const [connected, seconds] = stdout.split(" ");
        assert.equal(connected, original);
        // It is the connect timeout, 5 s, that must not be spent on the first.
        assert.ok(Number(seconds) < 4, `${seconds} s`);
        const [record] = await bed.recordsWhere(
          (each) => each.name === name && each.original_port === (scheme === "http" ? 80 : 443),
        );
        assert.deepEqual(
          [record?.reason, record?.original_address, record?.dialled_address],
          ["allowed.rule", original, dialled],
        );
      });
});

test("of all these connections none was refused, and none failed", () => {
  assert.deepEqual(
    bed.records.filter(({ reason }) => reason !== "allowed.rule"),
    [],
  );
});
