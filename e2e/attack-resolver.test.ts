import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { DnsServerProcess } from "@sallyport/cli/lab/dns-server-process";
import { EgressPod, HOSTILE, OTHER, REAL, RESOLVER } from "./support/egress-pod.ts";
import { told } from "./support/told.ts";

/** Who is asked for names, and what becomes of answers that change: the pod's author has his own ideas of both. */
const LIAR = "45.83.64.53";
const INSIDE = "10.50.0.1";
const NAMES = ["www.example.com", "db.example.net", "relative.example.com"];

const bed = await EgressPod.open(
  { after },
  {
    policy: {
      rules: {
        web: [{ hosts: ["*.example.com"], ports: [{ port: 443, protocol: "tls" }] }],
        database: [{ hosts: ["db.example.net"], ports: [{ port: 5_432, protocol: "tcp" }] }],
      },
    },
    zone: {
      "*.example.com": { A: [REAL] },
      "db.example.net": { A: [REAL] },
      // What the search list makes of names would be believed, were it asked for.
      "www.example.com.evil.net": { A: [HOSTILE] },
      "nobody.example.com": { code: "NXDOMAIN" },
      "nobody.example.com.evil.net": { A: [HOSTILE] },
      "moving.example.com": { A: [REAL], ttlSeconds: 0 },
      "fickle.example.com": [
        { A: [REAL], ttlSeconds: 0 },
        { A: [INSIDE], ttlSeconds: 0 },
      ],
    },
    addresses: [LIAR, INSIDE],
    resolvConf: `nameserver ${LIAR}\nsearch evil.net\noptions ndots:5\n`,
    hosts: NAMES.map((name) => `${HOSTILE} ${name}\n`).join(""),
  },
);
const liar = await DnsServerProcess.start(bed.sidecar.world, LIAR, { "*.com": { A: [HOSTILE] } });
const web = (name: string, address = HOSTILE) => bed.attempt({ address, port: 443, tls: name });

describe("resolv.conf, search list and hosts file of the pod's author", () => {
  test("are in the sidecar's container", async () => {
    const root = `/proc/${bed.sidecar.sidecar.pid}/root`;
    const read = (file: string) => bed.sidecar.pod.run("cat", `${root}/etc/${file}`);
    assert.match(await read("hosts"), new RegExp(`^${HOSTILE} www.example.com$`, "m"));
    assert.match(await read("resolv.conf"), /^search evil.net$/m);
  });
  test("do not lead a name elsewhere", async () => {
    const { heard, record } = await web("www.example.com");
    assert.equal(told(heard), `${REAL} www.example.com`);
    assert.deepEqual(record.resolved, [REAL]);
  });
  test("do not lead a database elsewhere", async () => {
    const lied = await bed.attempt({ address: HOSTILE, port: 5_432 });
    assert.deepEqual([told(lied.heard), lied.record.reason], ["reset", "denied.stale_address"]);
    assert.equal(told((await bed.attempt({ address: REAL, port: 5_432 })).heard), `${REAL} -`);
  });
  test("do not stand in for a name that does not exist", async () => {
    const { heard, record } = await web("nobody.example.com");
    assert.deepEqual([told(heard), record.reason, record.resolved], ["alert 49", "failed.dns", []]);
  });
  test("are never asked: the names went to the cluster's resolver as they are, and to nobody else", () => {
    const asked = new Set(bed.dns.asked.map(({ name }) => name));
    for (const name of ["www.example.com", "db.example.net", "nobody.example.com"])
      assert.ok(asked.has(name), name);
    assert.deepEqual(
      [...asked].filter((name) => name.endsWith("evil.net")),
      [],
    );
    assert.deepEqual(liar.asked, []);
  });
});

describe("a resolver of the app's choosing", () => {
  /** For the address of a.net, over UDP; over TCP with its length before it. */
  const query = Buffer.from("0001010000010000000000000161036e65740000010001", "hex");
  const measured = Buffer.concat([Buffer.from([0, query.length]), query]);
  test("is not reached over UDP", async () => {
    assert.match(await bed.app.datagram(LIAR, 53, query), /^(ECONNREFUSED|EPERM)$/);
  });
  test("is not reached over TCP", async () => {
    const { heard, record } = await bed.attempt({ address: LIAR, port: 53, say: [measured] });
    assert.deepEqual([told(heard), record.reason], ["reset", "denied.no_rule"]);
  });
  test("is not reached over TLS, nor by an allowed name", async () => {
    const { heard, record } = await bed.attempt({
      address: LIAR,
      port: 853,
      tls: "www.example.com",
    });
    assert.deepEqual([told(heard), record.reason], ["alert 49", "denied.no_rule"]);
  });
  test("has heard nothing, and the cluster's own answers the app, over UDP and TCP", async () => {
    assert.deepEqual(liar.asked, []);
    const before = bed.dns.asked.length;
    assert.equal(await bed.app.datagram(RESOLVER, 53, query), "answered");
    const { text } = await bed.app.call({
      address: RESOLVER,
      port: 53,
      say: [measured],
      enough: 3,
    });
    assert.ok(text.length > 0);
    assert.ok(bed.dns.asked.length > before);
  });
});

describe("answers that change between two questions", () => {
  const asked = (name: string) =>
    bed.dns.asked.filter((question) => question.name === name && question.type === "A").length;

  test("what was judged is what is dialled: a connection is one question, and the next answer is judged anew", async () => {
    const name = "fickle.example.com";
    const first = await web(name);
    assert.equal(told(first.heard), `${REAL} ${name}`);
    assert.equal(asked(name), 1);
    let next = first;
    // Its TTL of 0 counts for a second.
    await bed.until(async () => {
      next = await web(name, INSIDE);
      return next.record.reason !== "allowed.rule";
    }, "the second answer");
    assert.deepEqual(
      [told(next.heard), next.record.reason, next.record.resolved],
      ["alert 49", "denied.private_address", [INSIDE]],
    );
    assert.equal(asked(name), 2);
    assert.deepEqual(bed.witness.visitsAt(INSIDE), []);
  });

  test("a name that has moved is followed, and what is open goes on", async () => {
    const name = "moving.example.com";
    const held = await bed.app.hold({ address: REAL, port: 443, tls: name });
    assert.equal(told(held.greeting), `${REAL} ${name}`);
    await bed.dns.set({ [name]: { A: [OTHER], ttlSeconds: 0 } });
    await bed.until(
      async () => told((await web(name)).heard) === `${OTHER} ${name}`,
      "the name's new address",
    );
    await bed.app.hangUp();
    const [record] = await bed.recordsWhere(
      (each) => each.name === name && each.original_address === REAL,
    );
    assert.deepEqual([record?.dialled_address, record?.closed_by], [REAL, "app"]);
  });

  test("a database that has moved is found at once, one that has moved inside is not", async () => {
    const at = (address: string) => bed.attempt({ address, port: 5_432 });
    await bed.dns.set({ "db.example.net": { A: [OTHER] } });
    assert.equal(told((await at(OTHER)).heard), `${OTHER} -`);
    await bed.dns.set({ "db.example.net": { A: [INSIDE] } });
    let inside = await at(INSIDE);
    // It is not asked again within a second of the last time.
    await bed.until(async () => {
      inside = await at(INSIDE);
      return inside.record.reason !== "denied.stale_address";
    }, "the name's new address");
    assert.deepEqual(
      [told(inside.heard), inside.record.reason],
      ["reset", "denied.private_address"],
    );
    assert.deepEqual(bed.witness.visitsAt(INSIDE), []);
  });
});
