import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { DecisionRecord } from "@sallyport/core/record";
import { Bed } from "./clients/bed.ts";
import { finish } from "./clients/ended.ts";
import { Origin } from "./clients/http-origin.ts";

/** The policy changes while requests are under way on kept connections. */
const WEB = "93.184.216.10";
const http = [{ port: 80, protocol: "http" as const }];
const other = [{ hosts: ["other.example.com"], ports: http }];
const rules = { web: [{ hosts: ["www.example.com"], ports: http }], other };
const bed = await Bed.open(
  { after },
  { rules, zone: { "*.example.com": { A: [WEB] }, "new.example.net": { A: [WEB] } } },
);
const origin = await Origin.start(bed);
const { egress } = bed;
/** What has not happened by then does not. */
const open = () => sleep(3_000, { how: "open" });

test("of 10,000 requests on kept connections, with the rule removed half-way, each is answered, recorded and counted once", async () => {
  const name = "www.example.com";
  const recorded = () => bed.records.filter((record) => record.name === name);
  const argv = [process.execPath, join(import.meta.dirname, "clients/http-many.ts"), name];
  const client = finish(bed.start([...argv, "10000", "4"]), { timeoutMs: 60_000 });
  while (recorded().length < 5_000) await sleep(5);
  await egress.apply({ rules: { other } });
  const { status, stdout, stderr } = await client;
  assert.equal(status, 0, stderr);
  const { 200: served = 0, 403: refused = 0, ECONNRESET: cut = 0, ...others } = JSON.parse(stdout);
  assert.deepEqual(others, {});
  assert.equal(served + refused + cut, 10_000);
  assert.ok(served >= 5_000 && refused > 0, stdout);
  assert.ok(cut <= 4, "nothing but what was under way is cut");

  const records = await bed.recordsOf(name, 10_000);
  const count = (isOf: (record: (typeof records)[number]) => boolean) =>
    records.filter(isOf).length;
  assert.deepEqual(
    {
      all: records.length,
      served: count(({ reason, status }) => reason === "allowed.rule" && status === 200),
      // One under way whose answer has not begun is told, too.
      refused: count(({ status }) => status === 403),
      cut: count(({ reason, status }) => reason === "revoked" && status !== 403),
    },
    { all: 10_000, served, refused, cut },
  );
  // Each path once: none was asked twice, none was lost.
  assert.equal(new Set(records.map(({ path }) => path)).size, 10_000);
  const keys = records.map(({ connection, request }) => `${connection}.${request}`);
  assert.equal(new Set(keys).size, 10_000);
  // What was under way may have arrived, what was refused may not.
  const arrived = origin.arrivedAt(name).length;
  const underWay = count(({ reason }) => reason === "revoked");
  assert.ok(underWay <= 4, "nothing but what was under way is revoked");
  assert.ok(arrived >= served && arrived <= served + underWay, `${arrived} arrived`);
  assert.equal(await egress.stat("egress.denied.no_rule"), refused + cut - underWay);
});

test("a response under way is cut when its rule goes; another host's goes on", async () => {
  await egress.apply({ rules });
  const [cut, kept] = ["www.example.com", "other.example.com"];
  const begin = (host: string) =>
    egress.app.hold({
      ...{ address: WEB, port: 80 },
      say: [Buffer.from(`GET /events?count=1000&gap=20 HTTP/1.1\r\nHost: ${host}\r\n\r\n`)],
    });
  const [first, second] = await Promise.all([begin(cut), begin(kept)]);
  await egress.apply({ rules: { other } });
  assert.equal((await Promise.race([first.ended, open()])).how, "ECONNRESET");
  const isOf = (host: string) => (record: DecisionRecord) =>
    record.path === "/events" && record.name === host;
  const [revoked] = await bed.recordsWhere(isOf(cut));
  assert.deepEqual([revoked?.reason, revoked?.closed_how], ["revoked", "revoked"]);
  assert.match((await second.say(Buffer.alloc(0))).text, /data: /);
  await egress.app.hangUp();
  const [ended] = await bed.recordsWhere(isOf(kept));
  assert.deepEqual([ended?.reason, ended?.closed_by], ["allowed.rule", "app"]);
});

test("a WebSocket is cut when its rule goes", async () => {
  await egress.apply({ rules });
  const handshake = [
    "GET /greeting HTTP/1.1",
    "Host: www.example.com",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "\r\n",
  ].join("\r\n");
  const held = await egress.app.hold({ address: WEB, port: 80, say: [Buffer.from(handshake)] });
  assert.match(held.greeting.text, /^HTTP\/1\.1 101 /);
  await egress.apply({ rules: { other } });
  assert.equal((await Promise.race([held.ended, open()])).how, "ECONNRESET");
  const [record] = await bed.recordsWhere(({ path }) => path === "/greeting");
  assert.deepEqual([record?.reason, record?.status], ["revoked", 101]);
});

test("on one kept connection: refused without its rule, served with it; and again refused once it is gone", async () => {
  await egress.apply({ rules });
  const ask = (host: string) => Buffer.from(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const held = await egress.app.hold({
    ...{ address: WEB, port: 80 },
    say: [ask("other.example.com")],
  });
  assert.match(held.greeting.text, /^HTTP\/1\.1 200 /);
  const added = { ...rules, added: [{ hosts: ["new.example.net"], ports: http }] };
  await egress.apply({ rules: added });
  assert.match((await held.say(ask("new.example.net"))).text, /^HTTP\/1\.1 200 /);
  await egress.apply({ rules });
  assert.match((await held.say(ask("other.example.com"))).text, /^HTTP\/1\.1 200 /);
  assert.match((await held.say(ask("new.example.net"))).text, /^HTTP\/1\.1 403 /);
  const [first] = await bed.recordsOf("new.example.net", 2);
  const connection = bed.records.filter((record) => record.connection === first?.connection);
  assert.deepEqual(
    connection.map(({ request, status }) => [request, status]),
    [
      [1, 200],
      [2, 200],
      [3, 200],
      [4, 403],
    ],
  );
});
