import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attempt, Seen } from "@sallyport/cli/demo/attempt";
import { judge } from "@sallyport/cli/demo/judge";
import type { DecisionRecord } from "@sallyport/core/record";

const ATTEMPT: Attempt = {
  what: "a URL",
  protocol: "tcp",
  address: "192.0.2.1",
  port: 80,
  exchange: "http",
  app: "answered",
  sidecar: "allowed.rule",
};
const SEEN: Seen = { outcome: "answered", received: 100 };
const RECORD: DecisionRecord = {
  time: "2026-01-01T00:00:00.000Z",
  pod: "web",
  namespace: "shop",
  connection: 7,
  verdict: "allow",
  reason: "allowed.rule",
  original_address: "192.0.2.1",
  original_port: 80,
  bytes_sent: 10,
  bytes_received: 100,
  duration_ms: 1,
  closed_by: "app",
  closed_how: "end",
};
const KEPT: Attempt = { ...ATTEMPT, connection: "kept" };

for (const [what, attempt, seen, record, fault] of [
  ["all is as it was to be", {}, {}, {}, undefined],
  ["the app saw something else", {}, { outcome: "403" }, {}, 'the app was to see "answered", not'],
  ["the sidecar gave another reason", {}, {}, { reason: "revoked" }, "the sidecar was to say"],
  ["fewer bytes arrived", {}, { received: 99 }, {}, "the app received 99 bytes, the record has"],
  ["nobody counted the bytes", {}, { received: undefined }, { bytes_received: 5 }, undefined],
  ["the record does not say it", { record: { originated: true } }, {}, {}, "originated true, not"],
  [
    "the record says otherwise",
    { record: { status: 200 } },
    {},
    { status: 502 },
    "status 200, not",
  ],
  ["the record says it", { record: { status: 200 } }, {}, { status: 200 }, undefined],
  ["it was of another address", {}, {}, { original_address: "192.0.2.2" }, "not nothing"],
  ["there was to be none", { sidecar: undefined }, {}, {}, "was to say nothing, not allowed.rule"],
] as const)
  test(`${what}: ${fault === undefined ? "no fault" : "a fault"}`, () => {
    const { judged } = judge(
      [{ ...ATTEMPT, ...attempt } as Attempt],
      [{ ...SEEN, ...seen } as Seen],
      [{ ...RECORD, ...record }],
    );
    const faults = judged[0]?.faults ?? [];
    assert.equal(faults.length, fault === undefined ? 0 : 1, faults.join());
    if (fault !== undefined) assert.ok(faults[0]?.includes(fault), faults[0]);
  });

test("requests of one connection are joined in their order, however their records come", () => {
  const { judged, surplus } = judge(
    [KEPT, KEPT, ATTEMPT],
    [SEEN, SEEN, SEEN],
    [
      { ...RECORD, connection: 8 },
      { ...RECORD, request: 2 },
      { ...RECORD, request: 1 },
    ],
  );
  assert.deepEqual(
    judged.map(({ record }) => [record?.connection, record?.request]),
    [
      [7, 1],
      [7, 2],
      [8, undefined],
    ],
  );
  assert.deepEqual(
    judged.flatMap(({ faults }) => faults),
    [],
  );
  assert.deepEqual(surplus, []);
});

test("what was to go over one connection and went over two is a fault", () => {
  const records = [
    { ...RECORD, request: 1 },
    { ...RECORD, connection: 8, request: 1 },
  ];
  const { judged } = judge([KEPT, KEPT], [SEEN, SEEN], records);
  assert.deepEqual(judged[1]?.faults, ["the record was to say connection 7, not 8"]);
});

test("a record that no attempt accounts for is left over", () => {
  const other = { ...RECORD, connection: 9 };
  assert.deepEqual(judge([ATTEMPT], [SEEN], [RECORD, other]).surplus, [other]);
});

test("an attempt of which the app said nothing is a fault", () => {
  const { judged } = judge([ATTEMPT], [], [RECORD]);
  assert.deepEqual(judged[0]?.faults, ['the app was to see "answered", not "nothing"']);
});
