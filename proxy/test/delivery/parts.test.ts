import assert from "node:assert/strict";
import { test } from "node:test";
import { DELIVERY_LIMITS, SidecarLine } from "@sallyport/core/delivery";
import { backOffMs, waitMs } from "../../src/delivery/back-off.ts";
import { Reports } from "../../src/delivery/reports.ts";
import { readAnswerHead, retryAfterMs } from "../../src/delivery/upgrade.ts";
import { record } from "../support/record.ts";

test("waits grow from nothing to their bound, anywhere between nought and that", () => {
  const most = (failures: number, maxMs = 30_000) => backOffMs(failures, maxMs, () => 1);
  assert.deepEqual(
    [0, 1, 2, 3, 8].map((n) => most(n)),
    [0, 100, 200, 400, 12_800],
  );
  assert.deepEqual([most(10), most(5_000), most(5_000, 5_000)], [30_000, 30_000, 5_000]);
  assert.equal(
    backOffMs(9, 30_000, () => 0),
    0,
  );
});

test("who has lost a good stream with everybody else comes back within two seconds, not with them; who has no policy, at once", () => {
  const lost = { failures: 0, hasPolicy: true, isLost: true, saidMs: 0 };
  assert.deepEqual(
    [0, 0.5, 1].map((chance) => waitMs(lost, () => chance)),
    [0, 1_000, 2_000],
  );
  assert.equal(
    waitMs({ ...lost, hasPolicy: false }, () => 1),
    0,
  );
  const announced = { ...lost, isLost: false };
  assert.equal(
    waitMs(announced, () => 1),
    0,
  );
  assert.equal(
    waitMs({ ...announced, saidMs: 4_000 }, () => 1),
    5_000,
  );
});

test("an answer's head is read whole, or waited for, or refused", () => {
  const head = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nx:\r\n\r\n";
  for (let end = 0; end < head.length; end++)
    assert.equal(readAnswerHead(Buffer.from(head.slice(0, end))), "more");
  const read = readAnswerHead(Buffer.from(`${head}rest`));
  assert.ok(read && read !== "more");
  assert.deepEqual(
    [read.status, retryAfterMs(read), read.rest.toString(), read.fields.get("x")],
    [503, 7_000, "rest", ""],
  );
  for (const other of ["HTTP/2 200\r\n\r\n", "hello\r\n\r\n", "HTTP/1.1 200 OK\r\na b: c\r\n\r\n"])
    assert.equal(readAnswerHead(Buffer.from(other)), undefined, other);
});

const reported = (reports: Reports) => {
  const line = reports.take();
  if (line === undefined) return undefined;
  assert.ok(Buffer.byteLength(line) <= DELIVERY_LIMITS.sidecarLineBytes);
  const read = SidecarLine.parse(JSON.parse(line));
  return read.type === "report" ? read : assert.fail();
};

test("what is alike is one row, with what the last one was; what is told is forgotten", () => {
  const reports = new Reports();
  for (const [i, address] of ["93.184.216.34", "93.184.216.35"].entries())
    reports.add(
      record({
        ...{ verdict: "deny", reason: "denied.no_rule", name: "a.example", nearest: "shop/api" },
        ...{ original_address: address, time: `2026-01-01T00:00:0${i}.000Z`, rule: undefined },
      } as never),
    );
  assert.deepEqual(reported(reports)?.rows, [
    {
      ...{ verdict: "deny", reason: "denied.no_rule", nearest: "shop/api", name: "a.example" },
      ...{ address: "93.184.216.35", port: 443, count: 2, last: "2026-01-01T00:00:01.000Z" },
    },
  ]);
  assert.equal(reported(reports), undefined);
});

test("rows are bounded, and what has no room is counted", () => {
  const reports = new Reports(3);
  for (let port = 1; port <= 10; port++)
    for (const verdict of ["allow", "deny"] as const)
      reports.add(record({ original_port: port, verdict }));
  const report = reported(reports);
  assert.equal(report?.rows.length, 3);
  assert.deepEqual(report?.others, { allowed: 8, refused: 9 });
});

test("the longest rows of all fit into lines; what does not fit comes with the next", () => {
  const reports = new Reports();
  const long = (i: number) => `${i}`.padStart(250, "x");
  for (let i = 0; i < DELIVERY_LIMITS.reportRows; i++)
    reports.add(
      record({
        ...{ name: long(i), rule: long(i) + "y".repeat(70), nearest: long(i) + "y".repeat(70) },
        ...{ verdict: "deny", reason: "denied.boundary", would_be: "denied.boundary" },
        ...{ entry: 1_000, protocol: "https", original_address: "ffff:".repeat(7) },
      } as never),
    );
  let rows = 0;
  for (let report = reported(reports); report; report = reported(reports)) {
    rows += report.rows.length;
    assert.deepEqual(report.others, { allowed: 0, refused: 0 });
  }
  assert.equal(rows, DELIVERY_LIMITS.reportRows);
});
