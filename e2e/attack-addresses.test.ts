import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { formatAddress, parseCidr } from "@sallyport/core/address";
import { SPECIAL_RANGES } from "@sallyport/core/special";
import { EgressPod, HOSTILE, OTHER, REAL } from "./support/egress-pod.ts";
import { told } from "./support/told.ts";

/** Names that lead inside, ranges that are wider than they look, and denials that a lie should not open. */
const METADATA = "169.254.169.254";
const NODE = "93.184.220.5";
const POD = "10.244.1.9";
const DENIED = "10.50.0.9";
const FILES = "10.50.0.8";
const DATABASE = "93.184.216.40";
const BACKUP = "93.184.216.41";
const PRIVATE_DATABASE = "10.50.0.40";
const GATEWAY = "10.20.0.1";

const web = [{ port: 443, protocol: "tls" as const }];
const bed = await EgressPod.open(
  { after },
  {
    policy: {
      cluster: { ranges: ["10.244.0.0/16"], nodes: [`${NODE}/32`] },
      rules: {
        names: [{ hosts: ["*.example.com"], ports: web }],
        sidecar: [{ hosts: ["admin.example.com"], ports: [{ port: 15_000, protocol: "http" }] }],
        private: [{ hosts: ["vault.example.net"], cidrs: ["10.50.0.0/16"], ports: web }],
        files: [{ cidrs: ["10.50.0.0/24"], ports: [{ port: 8_443, protocol: "tcp" }] }],
        everywhere: [{ cidrs: ["0.0.0.0/0", "::/0"], ports: [{ port: 9_000, protocol: "tcp" }] }],
        database: [
          { hosts: ["db.example.net"], ports: [{ port: 5_432, protocol: "tcp" }] },
          {
            hosts: ["private-db.example.net"],
            cidrs: ["10.50.0.0/16"],
            ports: [{ port: 5_432, protocol: "tcp" }],
          },
        ],
      },
      boundaries: {
        platform: {
          deny: [
            { hosts: ["*.denied.net"], ports: [{ port: 8_443, protocol: "tls" }] },
            { hosts: ["backup.denied.net"], ports: [{ port: 9_000, protocol: "tcp" }] },
          ],
        },
      },
    },
    zone: {
      "mixed.example.com": { A: [METADATA, "10.50.0.1", REAL, POD] },
      "admin.example.com": { A: ["127.0.0.1"] },
      "node.example.com": { A: [NODE] },
      "pod.example.com": { A: [POD] },
      "vault.example.net": { A: ["10.50.0.1"] },
      "secret.denied.net": { A: [DENIED] },
      "backup.denied.net": { A: [BACKUP] },
      "files.example.net": { A: [FILES] },
      "www.example.com": { A: [REAL] },
      "db.example.net": { A: [DATABASE] },
      "private-db.example.net": { A: [PRIVATE_DATABASE] },
    },
    addresses: [
      METADATA,
      NODE,
      POD,
      DENIED,
      FILES,
      DATABASE,
      BACKUP,
      PRIVATE_DATABASE,
      "10.50.0.1",
    ],
    listening: { tls: [443, 8_443], plain: [5_432, 9_000] },
    waits: { silentMs: 500 },
  },
);

/** An address inside each of them, and those that stand for one. */
const inside = SPECIAL_RANGES.map(([range, what]) => {
  const cidr = parseCidr(range);
  if (cidr instanceof Error) throw cidr;
  const { family, base, prefix } = cidr;
  // Not its first ones, where narrower ranges lie.
  const value = base + (1n << BigInt((family === 4 ? 32 : 128) - prefix)) / 3n;
  return [formatAddress({ family, value }), what] as const;
});
const embedded = [
  [`::ffff:${METADATA}`, "the metadata address, IPv4-mapped"],
  ["::ffff:127.0.0.1", "loopback, IPv4-mapped"],
  ["64:ff9b::a9fe:a9fe", "the metadata address behind NAT64"],
  ["64:ff9b::a32:1", "a private address behind NAT64"],
  ["2002:a32:1::1", "a private address behind 6to4"],
  ["2002:7f00:1::1", "loopback behind 6to4"],
  ["::a32:1", "a private address, IPv4-compatible"],
  ["::ffff:0:a32:1", "a private address, IPv4-translated"],
] as const;

describe("an allowed name that leads to a special address is refused", () => {
  before(async () => {
    // Whoever can have the address has it, so that a connection that is made is noticed.
    for (const [address] of [...inside, ...embedded])
      await bed.sidecar.world.run("ip", "address", "add", address, "dev", "lo").catch(() => {});
    await bed.dns.set(
      Object.fromEntries(
        [...inside, ...embedded].map(([address], i) => [
          `special-${i}.example.com`,
          { [address.includes(":") ? "AAAA" : "A"]: [address] },
        ]),
      ),
    );
  });

  for (const [i, [address, what]] of [...inside, ...embedded].entries())
    test(`${address}: ${what}`, async () => {
      const name = `special-${i}.example.com`;
      const { heard, record } = await bed.attempt({ address: HOSTILE, port: 443, tls: name });
      assert.deepEqual(
        [told(heard), record.reason, record.dialled_address, record.resolved?.length],
        ["alert 49", "denied.private_address", undefined, 1],
      );
      assert.deepEqual(bed.witness.visitsAt(address), []);
    });

  test("also where the app dials that very address", async () => {
    const i = inside.findIndex(([address]) => address === METADATA);
    const tls = `special-${i}.example.com`;
    const { heard, record } = await bed.attempt({ address: METADATA, port: 443, tls });
    assert.deepEqual([told(heard), record.reason], ["alert 49", "denied.private_address"]);
  });

  for (const [name, what] of [
    ["node.example.com", "a node, whose address looks public"],
    ["pod.example.com", "another pod"],
  ] as const)
    test(`${what}`, async () => {
      const { heard, record } = await bed.attempt({ address: HOSTILE, port: 443, tls: name });
      assert.deepEqual([told(heard), record.reason], ["alert 49", "denied.private_address"]);
    });

  test("the sidecar's own pages, on the loopback that they share", async () => {
    const say = [Buffer.from("GET /config_dump HTTP/1.1\r\nHost: admin.example.com:15000\r\n\r\n")];
    const { heard, record } = await bed.attempt({ address: HOSTILE, port: 15_000, say });
    assert.match(heard.text, /^HTTP\/1\.1 403 /);
    assert.equal(record.reason, "denied.private_address");
  });

  test("unless its rule gives the range", async () => {
    const { heard, record } = await bed.attempt({
      ...{ address: HOSTILE, port: 443, tls: "vault.example.net" },
    });
    assert.equal(told(heard), "10.50.0.1 vault.example.net");
    assert.equal(record.rule, "shop/private");
  });
});

test("of an answer with public and special addresses only the public one is dialled, whichever the app chose", async () => {
  for (const address of [METADATA, "10.50.0.1", HOSTILE, REAL]) {
    const { heard, record } = await bed.attempt({ address, port: 443, tls: "mixed.example.com" });
    assert.equal(told(heard), `${REAL} mixed.example.com`);
    assert.equal(record.dialled_address, REAL);
  }
});

describe("0.0.0.0/0 and ::/0 are the public internet", () => {
  for (const [address, what] of [
    [METADATA, "metadata"],
    [`::ffff:${METADATA}`, "metadata, by an IPv6 socket"],
    ["64:ff9b::a9fe:a9fe", "metadata behind NAT64"],
    [NODE, "a node"],
    [GATEWAY, "the node that the pod is on"],
    ["10.50.0.1", "a private address"],
    ["fd20::1", "a unique local address"],
  ] as const)
    test(`${what}, ${address}, is refused`, async () => {
      const canonical = address.replace(/^::ffff:/, "");
      const heard = await bed.app.call({ address, port: 9_000 });
      const [record] = (
        await bed.recordsWhere(
          ({ original_address, original_port }) =>
            original_address === canonical && original_port === 9_000,
        )
      ).slice(-1);
      assert.deepEqual([told(heard), record?.reason], ["reset", "denied.no_rule"]);
    });
  test("a public address passes", async () => {
    assert.equal(told((await bed.attempt({ address: REAL, port: 9_000 })).heard), `${REAL} -`);
  });
});

describe("a denied name behind an address that a rule permits", () => {
  const at = (address: string, tls: string) => bed.attempt({ address, port: 8_443, tls });

  test("is refused under its own name", async () => {
    const { heard, record } = await at(DENIED, "secret.denied.net");
    assert.deepEqual(
      [told(heard), record.reason, record.rule],
      ["alert 49", "denied.boundary", "platform"],
    );
  });
  for (const [name, reason, what] of [
    ["", "denied.name_missing", "no name"],
    ["www.example.com", "denied.stale_address", "a name that leads elsewhere"],
    ["nobody.example.net", "failed.dns", "a name that does not exist"],
  ] as const)
    test(`is refused to ${what}`, async () => {
      const { heard, record } = await at(DENIED, name);
      assert.deepEqual([told(heard), record.reason], ["alert 49", reason]);
    });
  test("is refused to what is no TLS", async () => {
    const say = [Buffer.from("hello\n")];
    const { heard, record } = await bed.attempt({ address: DENIED, port: 8_443, say });
    assert.deepEqual([told(heard), record.reason], ["reset", "denied.name_missing"]);
  });
  test("is not reached by a permitted name: that name's own server is", async () => {
    const { heard } = await at(DENIED, "files.example.net");
    assert.equal(told(heard), `${FILES} files.example.net`);
  });
  test("and the server beside it is reached under its own name", async () => {
    assert.equal(told((await at(FILES, "files.example.net")).heard), `${FILES} files.example.net`);
  });
  test("is refused by its own address where bytes are opaque, without a word of the app", async () => {
    const { heard, record } = await bed.attempt({ address: BACKUP, port: 9_000 });
    assert.deepEqual(
      [told(heard), record.reason, record.rule],
      ["reset", "denied.boundary", "platform"],
    );
    assert.equal(told((await bed.attempt({ address: OTHER, port: 9_000 })).heard), `${OTHER} -`);
  });
  test("has had no visitor", () => {
    for (const address of [DENIED, BACKUP]) assert.deepEqual(bed.witness.visitsAt(address), []);
  });
});

describe("a database by name", () => {
  for (const [address, name] of [
    [DATABASE, "db.example.net"],
    [PRIVATE_DATABASE, "private-db.example.net"],
  ] as const)
    test(`passes at the address of ${name}, without a word of the app`, async () => {
      const { heard, record } = await bed.attempt({ address, port: 5_432 });
      assert.equal(told(heard), `${address} -`);
      assert.deepEqual([record.name, record.name_source], [name, "dns"]);
    });
  for (const address of [OTHER, HOSTILE, "10.50.0.1", METADATA])
    test(`is refused at ${address}, which is not its own`, async () => {
      const { heard, record } = await bed.attempt({ address, port: 5_432 });
      assert.deepEqual([told(heard), record.reason], ["reset", "denied.stale_address"]);
    });
  test("is not found by a server name", async () => {
    const { heard, record } = await bed.attempt({
      ...{ address: HOSTILE, port: 5_432, tls: "db.example.net" },
    });
    assert.deepEqual([told(heard), record.reason], ["alert 49", "denied.stale_address"]);
  });
});

test("an address of the cluster is reached by address", async () => {
  const { heard, record } = await bed.attempt({ address: POD, port: 5_432 });
  assert.deepEqual([told(heard), record.reason], [`${POD} -`, "allowed.cluster"]);
});

test("after all this nobody has come to the metadata service or to a node", () => {
  for (const address of [METADATA, NODE, GATEWAY])
    assert.deepEqual(bed.witness.visitsAt(address), []);
});
