import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { DnsServer, type Zone } from "@sallyport/cli/lab/dns-server";
import { DEFAULTS, type Limits } from "../../src/resolve/limits.ts";
import { Names } from "../../src/resolve/names.ts";

const MINUTE = 60_000;

async function dnsServer(t: TestContext, zone: Zone, address = "127.0.53.3"): Promise<DnsServer> {
  const server = await DnsServer.listen(address, 0, zone);
  t.after(() => server.close());
  return server;
}

/** With a clock of its own; what is kept is looked over often. */
function namesOf(t: TestContext, servers: readonly string[], limits: Partial<Limits> = {}) {
  const clock = { nowMs: 1_000_000 };
  const names = new Names({
    servers,
    now: () => clock.nowMs,
    limits: { keptTickMs: 5, keptSpreadMs: 0, ...limits },
    ipv6First: () => false,
  });
  t.after(() => names.close());
  return { names, clock };
}

/** How often a name's IPv4 addresses have been asked for. */
const timesAsked = (server: DnsServer, name: string) =>
  server.asked.filter((asked) => asked.name === name && asked.type === "A").length;

/** For what comes true by itself: nobody is told of a refresh. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const giveUp = performance.now() + 30_000;
  while (!holds()) {
    assert.ok(performance.now() < giveUp, `never came true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

test("an answer is used while its TTL lasts, and asked for again when it has ended", async (t) => {
  const server = await dnsServer(t, {
    "a.test": [
      { A: ["192.0.2.1"], ttlSeconds: 60 },
      { A: ["192.0.2.2"], ttlSeconds: 60 },
    ],
  });
  const { names, clock } = namesOf(t, [server.server]);
  assert.deepEqual(await names.lookup("a.test"), { addresses: ["192.0.2.1"] });
  clock.nowMs += MINUTE - 1;
  assert.deepEqual(await names.lookup("a.test"), { addresses: ["192.0.2.1"] });
  assert.equal(timesAsked(server, "a.test"), 1);
  clock.nowMs += 1;
  assert.deepEqual(await names.lookup("a.test"), { addresses: ["192.0.2.2"] });
  const { lookups, hits, asked, cached } = names.figures;
  assert.deepEqual({ lookups, hits, asked, cached }, { lookups: 3, hits: 1, asked: 2, cached: 1 });
});

test("a TTL of 0 is shared for one second, not longer", async (t) => {
  const server = await dnsServer(t, { "a.test": { A: ["192.0.2.1"], ttlSeconds: 0 } });
  const { names, clock } = namesOf(t, [server.server]);
  for (const laterMs of [0, 999, 1]) {
    clock.nowMs += laterMs;
    await names.lookup("a.test");
  }
  assert.equal(timesAsked(server, "a.test"), 2);
});

test("a thousand who ask at once share one question", async (t) => {
  const server = await dnsServer(t, { "a.test": { A: ["192.0.2.1"], slow: { A: 20 } } });
  const { names } = namesOf(t, [server.server]);
  const all = await Promise.all(Array.from({ length: 1_000 }, () => names.lookup("a.test")));
  assert.ok(all.every(({ addresses }) => addresses[0] === "192.0.2.1"));
  assert.equal(timesAsked(server, "a.test"), 1);
  assert.equal(server.asked.length, 2);
});

for (const [what, records, error, lastsMs] of [
  ["no such name", undefined, "not_found", DEFAULTS.noneMs],
  ["no address", {}, "no_address", DEFAULTS.noneMs],
  ["a server's failure", { code: "SERVFAIL" }, "server_failure", DEFAULTS.failureMs],
] as const)
  test(`${what} is an answer for ${lastsMs} ms, and then asked for again`, async (t) => {
    const server = await dnsServer(t, records ? { "a.test": records } : {});
    const { names, clock } = namesOf(t, [server.server]);
    for (const laterMs of [0, lastsMs - 1]) {
      clock.nowMs += laterMs;
      assert.deepEqual(await names.lookup("a.test"), { addresses: [], error });
    }
    server.set("a.test", { A: ["192.0.2.1"] });
    clock.nowMs += 1;
    assert.deepEqual(await names.lookup("a.test"), { addresses: ["192.0.2.1"] });
    assert.equal(timesAsked(server, "a.test"), 2);
  });

test("what is known is told without asking: addresses, that there are none, or nothing", async (t) => {
  const server = await dnsServer(t, {
    "a.test": { A: ["192.0.2.1"], AAAA: ["2001:db8::1"], ttlSeconds: 60 },
    "broken.test": { code: "SERVFAIL" },
  });
  const { names, clock } = namesOf(t, [server.server]);
  assert.equal(names.answers.addressesOf("a.test"), undefined);
  assert.deepEqual(server.asked, []);
  for (const name of ["a.test", "none.test", "broken.test"]) await names.lookup(name);
  assert.deepEqual(names.answers.addressesOf("a.test"), ["192.0.2.1", "2001:db8::1"]);
  assert.deepEqual(names.answers.addressesOf("none.test"), []);
  assert.equal(names.answers.addressesOf("broken.test"), undefined);
  assert.deepEqual(names.answers.namesOf("192.0.2.1"), [], "it is not kept");
  clock.nowMs += MINUTE;
  assert.equal(names.answers.addressesOf("a.test"), undefined);
  assert.equal(names.answers.addressesOf("none.test"), undefined);
});

test("half an answer is completed when the other half comes", async (t) => {
  const server = await dnsServer(t, {
    "a.test": { A: ["192.0.2.1"], AAAA: ["2001:db8::1"], slow: { AAAA: 150 } },
  });
  const { names } = namesOf(t, [server.server], { otherFamilyMs: 20 });
  assert.deepEqual(await names.lookup("a.test"), { addresses: ["192.0.2.1"] });
  await until("both are known", () => names.answers.addressesOf("a.test")?.length === 2);
  assert.equal(server.asked.length, 2);
});

test("of very many names the cache holds a bounded number, the last ones, and kept names stay", async (t) => {
  const server = await dnsServer(t, {
    "db.test": { A: ["192.0.2.1"], ttlSeconds: 3_600 },
    "*.many.test": { A: ["192.0.2.2"], ttlSeconds: 3_600 },
  });
  const { names } = namesOf(t, [server.server], { maxNames: 100 });
  names.keep(["db.test"]);
  for (let i = 0; i < 1_000; i++) {
    await names.lookup(`n${i}.many.test`);
    assert.ok(names.figures.cached <= 100);
  }
  assert.equal(names.answers.addressesOf("n899.many.test"), undefined);
  assert.deepEqual(names.answers.addressesOf("n999.many.test"), ["192.0.2.2"]);
  assert.deepEqual(names.answers.addressesOf("db.test"), ["192.0.2.1"]);
});

test("a kept name is resolved before anybody asks, and again whenever its TTL ends", async (t) => {
  const server = await dnsServer(t, {
    "db.test": [1, 2, 3].map((i) => ({ A: [`192.0.2.${i}`], ttlSeconds: 60 })),
  });
  const { names, clock } = namesOf(t, [server.server]);
  names.keep(["db.test"]);
  for (const i of [1, 2, 3]) {
    await until(`answer ${i}`, () => names.answers.namesOf(`192.0.2.${i}`)[0] === "db.test");
    assert.deepEqual(names.answers.addressesOf("db.test"), [`192.0.2.${i}`]);
    clock.nowMs += MINUTE;
  }
  assert.deepEqual(names.answers.namesOf("192.0.2.1"), ["db.test"], "within its five minutes");
  assert.equal(names.figures.lookups, 0);
});

test("by a real clock, a kept name is asked for as often as its TTL says", async (t) => {
  const server = await dnsServer(t, {
    "db.test": [
      { A: ["192.0.2.1"], ttlSeconds: 1 },
      { A: ["192.0.2.2"], ttlSeconds: 1 },
    ],
  });
  const names = new Names({
    servers: [server.server],
    now: Date.now,
    limits: { keptMinMs: 0, keptSpreadMs: 100, keptTickMs: 50 },
  });
  t.after(() => names.close());
  const started = Date.now();
  names.keep(["db.test"]);
  await until("the second answer", () => names.answers.namesOf("192.0.2.2").length === 1);
  assert.ok(Date.now() - started >= 1_000);
});

test("while nobody answers, a kept name goes by its last addresses for five minutes, then by none", async (t) => {
  const server = await dnsServer(t, { "db.test": { A: ["192.0.2.1"], ttlSeconds: 60 } });
  const { names, clock } = namesOf(t, [server.server]);
  names.keep(["db.test"]);
  await until("the answer", () => names.answers.addressesOf("db.test") !== undefined);
  server.set("db.test", { code: "SERVFAIL" });
  clock.nowMs += MINUTE;
  await until("the failure", () => names.figures.failed > 0);
  assert.deepEqual(names.answers.addressesOf("db.test"), ["192.0.2.1"]);
  assert.deepEqual(await names.lookup("db.test"), {
    addresses: ["192.0.2.1"],
    error: "server_failure",
  });
  clock.nowMs += 5 * MINUTE;
  assert.equal(names.answers.addressesOf("db.test"), undefined);
  assert.deepEqual(names.answers.namesOf("192.0.2.1"), []);
  assert.deepEqual(await names.lookup("db.test"), { addresses: [], error: "server_failure" });
});

test("a kept name that fails is tried again, and is well again with its first answer", async (t) => {
  const server = await dnsServer(t, { "db.test": { code: "SERVFAIL" } });
  const { names, clock } = namesOf(t, [server.server]);
  names.keep(["db.test"]);
  for (const failures of [1, 2, 3]) {
    await until(`failure ${failures}`, () => names.figures.failed === failures);
    clock.nowMs += MINUTE;
  }
  assert.equal(names.figures.keptUnknown, 1);
  server.set("db.test", { A: ["192.0.2.1"] });
  clock.nowMs += MINUTE;
  await until("the answer", () => names.answers.addressesOf("db.test")?.[0] === "192.0.2.1");
  assert.equal(names.figures.keptUnknown, 0);
});

test("a name no longer kept is no longer asked for, nor told of its address", async (t) => {
  const server = await dnsServer(t, {
    "a.test": { A: ["192.0.2.1"], ttlSeconds: 60 },
    "b.test": { A: ["192.0.2.1"], ttlSeconds: 60 },
  });
  const { names, clock } = namesOf(t, [server.server]);
  names.keep(["a.test", "b.test"]);
  await until("both answers", () => names.answers.namesOf("192.0.2.1").length === 2);
  names.keep(["b.test"]);
  assert.deepEqual(names.answers.namesOf("192.0.2.1"), ["b.test"]);
  clock.nowMs += MINUTE;
  await until("the next question", () => timesAsked(server, "b.test") === 2);
  assert.equal(timesAsked(server, "a.test"), 1);
});

test("many kept names are asked for a few at a time, and all of them", async (t) => {
  const server = await dnsServer(t, { "*.db.test": { A: ["192.0.2.1"], slow: { A: 5 } } });
  const { names } = namesOf(t, [server.server], { keptAtOnce: 4 });
  let most = 0;
  server.onAsked = () => {
    most = Math.max(most, names.figures.pending);
  };
  names.keep(Array.from({ length: 50 }, (_, i) => `n${i}.db.test`));
  await until("all answers", () => names.answers.namesOf("192.0.2.1").length === 50);
  assert.equal(most, 4);
});

test("other servers are asked at once, by those who wait for the old ones too, and for kept names", async (t) => {
  const old = await dnsServer(t, {
    "slow.test": { silent: ["A", "AAAA"] },
    "a.test": { A: ["192.0.2.1"] },
    "db.test": { A: ["192.0.2.3"] },
  });
  const zone = { A: ["192.0.2.2"] };
  const other = await dnsServer(
    t,
    { "slow.test": zone, "a.test": zone, "db.test": zone },
    "127.0.53.4",
  );
  const { names } = namesOf(t, [old.server]);
  names.keep(["db.test"]);
  await names.lookup("a.test");
  await until("the kept answer", () => names.answers.namesOf("192.0.2.3").length === 1);
  const waiting = names.lookup("slow.test");
  await until("it is asked", () => timesAsked(old, "slow.test") === 1);
  names.setServers([other.server]);
  assert.deepEqual(await waiting, { addresses: ["192.0.2.2"] });
  assert.deepEqual(await names.lookup("a.test"), { addresses: ["192.0.2.2"] });
  await until("the new kept answer", () => names.answers.namesOf("192.0.2.2").length === 1);
  assert.deepEqual(names.answers.namesOf("192.0.2.3"), ["db.test"], "open connections go on");
});

test("what the old servers were still asked for is not taken from them any more", async (t) => {
  const old = await dnsServer(t, { "a.test": { A: ["192.0.2.1"], silent: ["AAAA"] } });
  const other = await dnsServer(t, { "a.test": { A: ["192.0.2.2"] } }, "127.0.53.4");
  const { names } = namesOf(t, [old.server], { otherFamilyMs: 20 });
  assert.deepEqual(await names.lookup("a.test"), { addresses: ["192.0.2.1"] });
  names.setServers([other.server]);
  await names.lookup("b.test");
  assert.equal(names.answers.addressesOf("a.test"), undefined);
  assert.deepEqual(await names.lookup("a.test"), { addresses: ["192.0.2.2"] });
});

test("the same servers once more change nothing", async (t) => {
  const server = await dnsServer(t, { "a.test": { A: ["192.0.2.1"] } });
  const { names } = namesOf(t, [server.server]);
  await names.lookup("a.test");
  names.setServers([server.server]);
  await names.lookup("a.test");
  assert.equal(timesAsked(server, "a.test"), 1);
});

test("without servers every name is told so", async (t) => {
  const { names } = namesOf(t, []);
  assert.deepEqual(await names.lookup("a.test"), { addresses: [], error: "no_servers" });
});

test("closed while it asks, whoever waits is told at once; afterwards nobody is asked", async (t) => {
  const server = await dnsServer(t, { "a.test": { silent: ["A", "AAAA"] } });
  const { names, clock } = namesOf(t, [server.server]);
  const waiting = names.lookup("a.test");
  await until("it is asked", () => server.asked.length === 2);
  names.close();
  assert.deepEqual(await waiting, { addresses: [], error: "closed" });
  clock.nowMs += MINUTE;
  names.keep(["b.test"]);
  assert.deepEqual(await names.lookup("c.test"), { addresses: [], error: "closed" });
  assert.equal(server.asked.length, 2);
});

test("closed while it asks a second time and the first answer has only now become whole, whoever waits is told", async (t) => {
  const server = await dnsServer(t, {
    "a.test": [
      { A: ["192.0.2.1"], AAAA: ["2001:db8::1"], slow: { AAAA: 150 } },
      { silent: ["A", "AAAA"] },
    ],
  });
  const { names, clock } = namesOf(t, [server.server], { otherFamilyMs: 20 });
  await names.lookup("a.test");
  clock.nowMs += MINUTE;
  const waiting = names.lookup("a.test");
  await until("the whole answer", () => names.answers.addressesOf("a.test")?.length === 2);
  names.close();
  assert.deepEqual(await waiting, { addresses: [], error: "closed" });
});

test("as it comes, a lookup that nobody answers ends within about five seconds", async (t) => {
  const server = await dnsServer(t, { "a.test": { silent: ["A", "AAAA"] } });
  const names = new Names({ servers: [server.server], now: Date.now });
  t.after(() => names.close());
  const started = performance.now();
  assert.deepEqual(await names.lookup("a.test"), { addresses: [], error: "timeout" });
  const tookMs = performance.now() - started;
  assert.ok(tookMs > 3_000 && tookMs < 10_000, `${tookMs} ms`);
  assert.equal(names.figures.timeouts, 1);
});

test("a kept name is asked for out of turn at most once a second, and what is new counts at once", async (t) => {
  const server = await dnsServer(t, {
    "db.test": [
      { A: ["192.0.2.1"], ttlSeconds: 60 },
      { A: ["192.0.2.2"], ttlSeconds: 60 },
    ],
  });
  const { names, clock } = namesOf(t, [server.server]);
  names.keep(["db.test"]);
  await names.lookup("db.test");
  assert.deepEqual(await names.refresh("db.test"), { addresses: ["192.0.2.1"] });
  assert.equal(timesAsked(server, "db.test"), 1);
  clock.nowMs += 1_000;
  assert.deepEqual(await names.refresh("db.test"), { addresses: ["192.0.2.2"] });
  assert.equal(timesAsked(server, "db.test"), 2);
  for (const address of ["192.0.2.1", "192.0.2.2"])
    assert.deepEqual(names.answers.namesOf(address), ["db.test"], address);
});
