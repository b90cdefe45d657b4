import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { DnsServer, type Zone } from "@sallyport/cli/lab/dns-server";
import type { Reply } from "../../src/resolve/answer.ts";
import { DEFAULTS, type Limits } from "../../src/resolve/limits.ts";
import { Servers } from "../../src/resolve/servers.ts";

async function dnsServer(t: TestContext, zone: Zone, address = "127.0.53.1"): Promise<DnsServer> {
  const server = await DnsServer.listen(address, 0, zone);
  t.after(() => server.close());
  return server;
}

function servers(t: TestContext, addresses: readonly string[], limits: Partial<Limits> = {}) {
  const made = new Servers(addresses, { ...DEFAULTS, ...limits }, () => true);
  t.after(() => made.close());
  return made;
}

/** All that is told of a name until its reply is whole: the last one is. */
function ask(of: Servers, name: string, replies = 1): Promise<readonly Reply[]> {
  const { promise, resolve } = Promise.withResolvers<Reply[]>();
  const told: Reply[] = [];
  of.ask(name, (reply) => {
    told.push(reply);
    if (told.length === replies) resolve(told);
  });
  return promise;
}

async function reply(of: Servers, name: string): Promise<Reply> {
  const [whole] = await ask(of, name);
  if (!whole) throw new Error("nothing was told");
  return whole;
}

const shown = ({ addresses, ttlSeconds, failure }: Reply) =>
  `${addresses.join(" ") || "none"} ttl=${ttlSeconds} ${failure ?? ""}`.trim();

const ZONE: Zone = {
  "both.test": { A: ["192.0.2.1", "192.0.2.2"], AAAA: ["2001:db8::1"], ttlSeconds: 60 },
  "uneven.test": { A: ["192.0.2.3"], AAAA: ["2001:db8::3"], ttlSeconds: { A: 50, AAAA: 9 } },
  "four.test": { A: ["192.0.2.4"] },
  "six.test": { AAAA: ["2001:DB8:0:0::6"] },
  "empty.test": {},
  "broken.test": { code: "SERVFAIL" },
  "forbidden.test": { code: "REFUSED" },
  "mapped.test": { A: ["192.0.2.7"], AAAA: ["::ffff:192.0.2.7", "::ffff:192.0.2.8"] },
  "short.test": { CNAME: "long.test", ttlSeconds: 7 },
  "long.test": { CNAME: "end.test", ttlSeconds: 500 },
  "end.test": { A: ["192.0.2.9"], ttlSeconds: 100 },
  "ending.test": { CNAME: "short-end.test", ttlSeconds: 500 },
  "short-end.test": { A: ["192.0.2.10"], ttlSeconds: 3 },
  "dangling.test": { CNAME: "nowhere.test" },
  "*.wild.test": { A: ["192.0.2.11"] },
};

for (const [what, name, expected] of [
  ["both families, IPv6 first", "both.test", "2001:db8::1 192.0.2.1 192.0.2.2 ttl=60"],
  ["the shorter TTL of two families", "uneven.test", "2001:db8::3 192.0.2.3 ttl=9"],
  ["IPv4 alone", "four.test", "192.0.2.4 ttl=30"],
  ["IPv6 alone, in its canonical spelling", "six.test", "2001:db8::6 ttl=30"],
  ["IPv4 in an IPv6 record is IPv4, once", "mapped.test", "192.0.2.7 192.0.2.8 ttl=30"],
  ["an alias's TTL counts where it is the shortest", "short.test", "192.0.2.9 ttl=7"],
  ["an address's TTL counts where it is the shortest", "ending.test", "192.0.2.10 ttl=3"],
  ["an alias of nothing has no address", "dangling.test", "none ttl=0 no_address"],
  ["a name below a wildcard", "a.b.wild.test", "192.0.2.11 ttl=30"],
  ["a name without addresses", "empty.test", "none ttl=0 no_address"],
  ["no such name", "nowhere.test", "none ttl=0 not_found"],
  ["a server that fails", "broken.test", "none ttl=0 server_failure"],
  ["a server that refuses", "forbidden.test", "none ttl=0 server_refused"],
] as const)
  test(`${what}: ${expected}`, async (t) => {
    const server = await dnsServer(t, ZONE);
    assert.equal(shown(await reply(servers(t, [server.server]), name)), expected);
  });

test("a name is asked for as it is: localhost, the machine's own names, names of one label", async (t) => {
  const hosts = readFileSync("/etc/hosts", "utf8")
    .replaceAll(/#.*/g, "")
    .split(/\s+/)
    .filter((word) => /^[a-z][a-z0-9.-]*$/.test(word));
  const names = ["localhost", "api", ...hosts];
  const zone = Object.fromEntries(names.map((name) => [name, { A: ["192.0.2.100"] }]));
  const server = await dnsServer(t, zone);
  const of = servers(t, [server.server]);
  for (const name of names) assert.deepEqual((await reply(of, name)).addresses, ["192.0.2.100"]);
  await reply(of, "other");
  assert.deepEqual(
    new Set(server.asked.map(({ name }) => name)),
    new Set([...names, "other"]),
    "and nothing else was asked for: no search list",
  );
});

test("an answer with no room in a datagram is fetched over TCP, whole", async (t) => {
  const addresses = Array.from({ length: 600 }, (_, i) => `198.18.${i >> 8}.${i & 255}`);
  const server = await dnsServer(t, { "many.test": { A: addresses } });
  const { addresses: got } = await reply(servers(t, [server.server]), "many.test");
  assert.deepEqual(new Set(got), new Set(addresses));
  assert.deepEqual(
    server.asked.filter(({ type }) => type === "A").map(({ over }) => over),
    ["udp", "tcp"],
  );
});

test("an IPv6 server is asked", async (t) => {
  const server = await dnsServer(t, ZONE, "::1");
  assert.equal(shown(await reply(servers(t, [server.server]), "four.test")), "192.0.2.4 ttl=30");
});

for (const [what, records] of [
  ["silent", { silent: ["A", "AAAA"] }],
  ["at a loss", { code: "SERVFAIL" }],
  ["unwilling", { code: "REFUSED" }],
] as const)
  test(`where the first server is ${what}, the second is asked`, async (t) => {
    const first = await dnsServer(t, { "four.test": records });
    const second = await dnsServer(t, ZONE, "127.0.53.2");
    const started = performance.now();
    const of = servers(t, [first.server, second.server]);
    assert.equal(shown(await reply(of, "four.test")), "192.0.2.4 ttl=30");
    assert.ok(first.asked.length > 0);
    assert.ok(performance.now() - started < DEFAULTS.lookupMs);
  });

test("where nobody listens at the first server, the second is asked", async (t) => {
  const second = await dnsServer(t, ZONE, "127.0.53.2");
  const of = servers(t, ["127.0.53.9:9", second.server]);
  assert.equal(shown(await reply(of, "four.test")), "192.0.2.4 ttl=30");
});

test("where the first server knows of no such name, the second is not asked", async (t) => {
  const first = await dnsServer(t, {});
  const second = await dnsServer(t, ZONE, "127.0.53.2");
  const of = servers(t, [first.server, second.server]);
  assert.equal(shown(await reply(of, "four.test")), "none ttl=0 not_found");
  assert.deepEqual(second.asked, []);
});

test("nobody listens at any server: unreachable, at once", async (t) => {
  const started = performance.now();
  assert.equal((await reply(servers(t, ["127.0.53.9:9"]), "four.test")).failure, "unreachable");
  assert.ok(performance.now() - started < 4_000);
});

test("without servers nobody is asked", async (t) => {
  assert.equal((await reply(servers(t, []), "four.test")).failure, "no_servers");
});

test("whatever silent servers do, a lookup ends in time, and they were asked again", async (t) => {
  const silent: Zone = { "four.test": { silent: ["A", "AAAA"] } };
  const first = await dnsServer(t, silent);
  const second = await dnsServer(t, silent, "127.0.53.2");
  const of = servers(t, [first.server, second.server], { timeoutMs: 100, lookupMs: 1_500 });
  const started = performance.now();
  assert.equal((await reply(of, "four.test")).failure, "timeout");
  assert.ok(performance.now() - started < 10_000, `${performance.now() - started} ms`);
  assert.ok(first.asked.length > 2 && second.asked.length > 2);
});

for (const type of ["A", "AAAA"] as const)
  test(`the ${type} records never come: the others are told without them, soon, and at last`, async (t) => {
    const zone = {
      "half.test": { A: ["192.0.2.1"], AAAA: ["2001:db8::1"], silent: [type] },
    } as const;
    const server = await dnsServer(t, zone);
    const of = servers(t, [server.server], { otherFamilyMs: 50, lookupMs: 600 });
    const rest = type === "A" ? "2001:db8::1" : "192.0.2.1";
    const replies = await ask(of, "half.test", 2);
    assert.deepEqual(replies.map(shown), [`${rest} ttl=30 timeout`, `${rest} ttl=30 timeout`]);
  });

test("the AAAA records come late: the others are told without them, then all of them", async (t) => {
  const server = await dnsServer(t, {
    "half.test": [{ A: ["192.0.2.1"], AAAA: ["2001:db8::1"], slow: { AAAA: 200 } }],
  });
  const of = servers(t, [server.server], { otherFamilyMs: 50 });
  assert.deepEqual((await ask(of, "half.test", 2)).map(shown), [
    "192.0.2.1 ttl=30 timeout",
    "2001:db8::1 192.0.2.1 ttl=30",
  ]);
});

test("closed while it asks, it tells so at once", async (t) => {
  const server = await dnsServer(t, { "four.test": { silent: ["A", "AAAA"] } });
  const of = servers(t, [server.server]);
  const asked = new Promise<void>((resolve) => {
    server.onAsked = () => resolve();
  });
  const told = reply(of, "four.test");
  await asked;
  of.close();
  assert.equal((await told).failure, "closed");
});

test("a name that cannot be written in DNS is told as a failure, never thrown", async (t) => {
  const server = await dnsServer(t, ZONE);
  const of = servers(t, [server.server]);
  for (const name of ["a..test", `${"a".repeat(64)}.test`, "a.".repeat(200), ""])
    assert.deepEqual((await reply(of, name)).addresses, [], JSON.stringify(name));
});
