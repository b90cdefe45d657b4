import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "@sallyport/core/policy";
import { type Judgement, judge, type OpenConnection, recordOf } from "../src/connection.ts";
import type { Finished, Inbound } from "../src/engine.ts";

const inbound: Inbound = {
  id: 1,
  source: { address: "10.0.0.2", port: 40_000 },
  destination: { address: "192.0.2.10", port: 443 },
  own: false,
  overLimit: false,
};
const open = compile({ mode: "enforce", allow: ["0.0.0.0/0:*"] });
const shut = compile({ mode: "enforce", allow: [] });
const audit = compile({ mode: "audit", allow: [] });

for (const [name, more, policy, verdict, reason] of [
  ["covered by an entry", {}, open, "allow", "allowed.rule"],
  ["covered by none", {}, shut, "deny", "denied.no_rule"],
  ["covered by none, in audit mode", {}, audit, "allow", "allowed.audit"],
  ["made to the sidecar itself", { own: true }, open, "deny", "denied.loop"],
  ["over the limit", { overLimit: true }, open, "deny", "denied.limit"],
  ["of unknown destination", { error: "ENOPROTOOPT" }, audit, "deny", "failed.internal"],
] as const)
  test(`a connection ${name} is ${reason}, and dialled only if it is allowed`, () => {
    const judgement = judge({ ...inbound, ...more }, policy);
    assert.deepEqual([judgement.verdict, judgement.reason], [verdict, reason]);
    assert.deepEqual(judgement.dial, verdict === "allow" ? ["192.0.2.10"] : []);
  });

const POD = { name: "web-0", namespace: "shop" };

function recorded(judgement: Judgement, end: Partial<Finished>) {
  const connection: OpenConnection = {
    ...{ number: 7, startedMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678), judgement },
    ...{ source: inbound.source, destination: inbound.destination },
  };
  const ended: Finished = { sent: 0, received: 0, totalMs: 9, by: "sidecar", how: "end", ...end };
  return recordOf(connection, ended, POD);
}

test("the record of a relayed connection says where it went, what moved and who ended it", () => {
  assert.deepEqual(
    recorded(judge(inbound, open), {
      ...{ sent: 11, received: 22, connectMs: 1.5, totalMs: 9.25, dialled: 0, by: "upstream" },
    }),
    {
      time: "2026-01-02T03:04:05.678Z",
      pod: "web-0",
      namespace: "shop",
      connection: 7,
      verdict: "allow",
      reason: "allowed.rule",
      rule: "0.0.0.0/0:*",
      original_address: "192.0.2.10",
      original_port: 443,
      dialled_address: "192.0.2.10",
      dialled_port: 443,
      bytes_sent: 11,
      bytes_received: 22,
      connect_ms: 1.5,
      duration_ms: 9.25,
      closed_by: "upstream",
      closed_how: "end",
    },
  );
});

test("a refusal was not dialled, and its reset is no error", () => {
  const record = recorded(judge(inbound, shut), { how: "refused", error: "ECONNRESET" });
  assert.deepEqual(
    [record.verdict, record.reason, record.closed_how, "dialled_address" in record],
    ["deny", "denied.no_rule", "refused", false],
  );
  assert.equal("error" in record, false);
});

test("a connection whose destination nobody knows is recorded with the system's word for it", () => {
  const record = recorded(judge({ ...inbound, error: "ENOPROTOOPT" }, open), { how: "refused" });
  assert.deepEqual([record.reason, record.error], ["failed.internal", "ENOPROTOOPT"]);
});

for (const [error, reason] of [
  ["ECONNREFUSED", "failed.connect_refused"],
  ["ETIMEDOUT", "failed.connect_timeout"],
  ["ECONNRESET", "failed.reset"],
  ["EHOSTUNREACH", "failed.unreachable"],
  ["ENETUNREACH", "failed.unreachable"],
  ["EPERM", "failed.unreachable"],
  ["EMFILE", "failed.internal"],
  ["EADDRNOTAVAIL", "failed.internal"],
] as const)
  test(`a dial that ends in ${error} is ${reason}, under the rule that allowed it`, () => {
    const record = recorded(judge(inbound, open), { how: "failed", dialled: 0, error });
    assert.deepEqual([record.reason, record.error, record.closed_how], [reason, error, "failed"]);
    assert.deepEqual([record.verdict, record.rule], ["allow", "0.0.0.0/0:*"]);
  });

for (const [how, closed] of [
  ["reset", "reset"],
  ["timeout", "timeout"],
  ["closed", "drain"],
] as const)
  test(`an allowed connection cut by ${how} keeps its reason`, () => {
    const record = recorded(judge(inbound, open), { how, dialled: 0 });
    assert.deepEqual([record.reason, record.closed_how], ["allowed.rule", closed]);
  });
