import assert from "node:assert/strict";
import { test } from "node:test";
import type { DecisionRecord } from "@sallyport/core/record";
import fc from "fast-check";
import { Destinations, MAX_DESTINATIONS, MAX_PER_PLACE } from "../src/destinations.ts";
import type { LiveConnection } from "../src/live-connection.ts";
import { RecentRecords } from "../src/recent-records.ts";
import { record } from "./support/record.ts";

function counted(...records: readonly DecisionRecord[]): Destinations {
  const destinations = new Destinations();
  for (const each of records) destinations.add(each);
  return destinations;
}

const live: LiveConnection = {
  id: 2,
  startedMs: Date.parse("2026-01-01T00:00:00.000Z"),
  source: { address: "10.0.0.2", port: 40_000 },
  destination: { address: "10.0.0.1", port: 443 },
  reason: "allowed.rule",
  rule: "shop/inside",
  bytesSent: 5,
  bytesReceived: 6,
};

test("connections to one destination are one row, with what was last known of it", () => {
  const destinations = counted(
    record({ name: "www.example.com", original_address: "93.184.216.34" }),
    record({
      ...{ name: "www.example.com", original_address: "93.184.216.35", connection: 2 },
      ...{ time: "2026-01-01T00:00:10.000Z", duration_ms: 500, error: "ECONNRESET" },
    }),
  );
  assert.deepEqual(destinations.collect([]), [
    {
      id: 1,
      name: "www.example.com",
      address: "93.184.216.35",
      port: 443,
      reason: "allowed.rule",
      rule: "shop/inside",
      matched: "10.0.0.0/8:443",
      last_error: "ECONNRESET",
      open: 0,
      connections: 2,
      requests: 0,
      bytes_sent: 20,
      bytes_received: 40,
      first_time: "2026-01-01T00:00:00.000Z",
      last_time: "2026-01-01T00:00:10.500Z",
    },
  ]);
});

test("requests are counted as such, with the last one's status", () => {
  const [row] = counted(
    record({ request: 1, status: 200 }),
    record({ request: 2, status: 404 }),
  ).collect([]);
  assert.deepEqual([row?.connections, row?.requests, row?.last_status], [0, 2, 404]);
});

test("whatever tells two apart makes two rows: port, protocol, outcome, rule, name, or the address of the nameless", () => {
  const base = { name: "a.example.com" } as const;
  const different: Partial<DecisionRecord>[] = [
    base,
    { ...base, original_port: 8443 },
    { ...base, protocol: "http" },
    { ...base, reason: "denied.no_rule", verdict: "deny" },
    { ...base, reason: "allowed.audit", would_be: "denied.no_rule" },
    { ...base, rule: "shop/other" },
    { name: "b.example.com" },
    { invalid_name: "a.example.com" },
    {},
    { original_address: "10.0.0.2" },
    { invalid_name: "10.0.0.2" },
  ];
  assert.equal(counted(...different.map(record)).collect([]).length, different.length);
});

test("what is open counts while it lasts, and once when it has ended", () => {
  const destinations = new Destinations();
  const [open] = destinations.collect([live, live]);
  assert.deepEqual([open?.open, open?.connections, open?.bytes_sent], [2, 0, 10]);
  destinations.add(record({}));
  const [ended, ...more] = destinations.collect([]);
  assert.deepEqual(
    [ended?.id, ended?.open, ended?.connections, ended?.bytes_sent],
    [open?.id, 0, 1, 10],
  );
  assert.deepEqual(more, []);
});

test("of an open connection whose requests have counted, only that it is open is added", () => {
  const destinations = counted(record({ request: 1 }));
  const [row] = destinations.collect([{ ...live, requests: 1 }]);
  assert.deepEqual([row?.open, row?.requests, row?.bytes_sent], [1, 1, 10]);
});

test("what is undecided or being refused is no open connection", () => {
  const destinations = new Destinations();
  assert.deepEqual(
    destinations.collect([
      { ...live, reason: "deciding" },
      { ...live, reason: "denied.no_rule" },
    ]),
    [],
  );
});

test("the names not seen for longest are forgotten, and still count", () => {
  const destinations = counted(record({ name: "kept.example.com" }));
  for (let i = 0; i < MAX_DESTINATIONS + 99; i++) {
    destinations.add(record({ name: `host-${i}.example.com`, connection: i + 2 }));
    if (i % 500 === 0) destinations.add(record({ name: "kept.example.com" }));
  }
  const rows = destinations.collect([]);
  assert.equal(rows.length, MAX_DESTINATIONS);
  assert.ok(rows.some(({ name }) => name === "kept.example.com"));
  assert.ok(!rows.some(({ name }) => name === "host-0.example.com"));
  assert.deepEqual(destinations.others, {
    ...{
      destinations: 100,
      connections: 100,
      requests: 0,
      bytes_sent: 1_000,
      bytes_received: 2_000,
    },
  });
});

test("who tries every port of one address pushes out nobody but himself", () => {
  const destinations = counted(record({ name: "www.example.com" }));
  for (let port = 1; port <= 10_000; port++)
    destinations.add(record({ original_port: port, connection: port + 1 }));
  const rows = destinations.collect([]);
  assert.equal(rows.length, 1 + MAX_PER_PLACE);
  assert.deepEqual(rows[0]?.name, "www.example.com");
  assert.equal(rows.at(-1)?.port, 10_000);
});

test("no byte and no connection is lost, whatever comes in whatever order", () => {
  const anyRecord = fc.record({
    name: fc.constantFrom("a.example.com", "b.example.com", "c.example.com"),
    original_port: fc.integer({ min: 1, max: 200 }),
    reason: fc.constantFrom("allowed.rule", "denied.no_rule"),
    bytes_sent: fc.nat(1_000),
  });
  fc.assert(
    fc.property(fc.array(anyRecord, { maxLength: 600, size: "max" }), (drawn) => {
      const records = drawn.map((each) => record(each as Partial<DecisionRecord>));
      const destinations = counted(...records);
      const rows = destinations.collect([]);
      const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
      const { others } = destinations;
      assert.equal(sum(rows.map((row) => row.connections)) + others.connections, records.length);
      assert.equal(
        sum(rows.map((row) => row.bytes_sent)) + others.bytes_sent,
        sum(records.map((each) => each.bytes_sent)),
      );
      assert.equal(new Set(rows.map(({ id }) => id)).size, rows.length);
    }),
    { seed: 5, numRuns: 50 },
  );
});

test("the last record of a destination is found by its id", () => {
  const last = record({ name: "b.example.com" });
  const destinations = counted(record({ name: "a.example.com" }), last);
  assert.equal(destinations.last(2), last);
  assert.equal(destinations.last(3), undefined);
});

test("of the records the newest are kept, the newest first", () => {
  const recent = new RecentRecords(3);
  assert.deepEqual(recent.latest(), []);
  for (let connection = 1; connection <= 7; connection++) recent.add(record({ connection }));
  assert.deepEqual(
    recent.latest().map(({ connection }) => connection),
    [7, 6, 5],
  );
});
