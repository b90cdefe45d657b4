import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Answers } from "@sallyport/core/decision";
import { evaluate } from "@sallyport/core/evaluate";
import { Policy } from "@sallyport/core/policy";
import { PolicySource, type PolicySourceInput, snapshotOf } from "@sallyport/core/policy-source";
import { attemptOf as replayed } from "@sallyport/core/replay";
import { attemptOf, type OpenConnection } from "../src/connection.ts";
import { recordOf } from "../src/connection-record.ts";
import type { Finished } from "../src/engine.ts";

const answers: Answers = { addressesOf: () => undefined, namesOf: () => [] };

function policyOf(
  mode: "enforce" | "audit",
  hosts: readonly string[] = [],
  cluster: PolicySourceInput["cluster"] = {},
): Policy {
  const tls = [{ port: 443, protocol: "tls" as const }];
  const tcp = [{ port: 5432, endPort: 5440, protocol: "tcp" as const }];
  const to = [
    { cidrs: ["192.0.2.0/24", "2001:db8::/32"], ports: tcp },
    ...(hosts.length > 0 ? [{ hosts, ports: tls }] : []),
  ];
  const rule = {
    ...{ apiVersion: "sallyport.dev/v1alpha1" as const, kind: "EgressRule" as const },
    ...{ metadata: { name: "web" }, spec: { to } },
  };
  const source = {
    mode,
    pod: { namespace: "shop" },
    rules: [rule],
    cluster,
    resolvers: ["10.96.0.10"],
  };
  return new Policy(snapshotOf(PolicySource.parse(source)));
}

/** A connection as it is once it has been decided. */
function decided(policy: Policy, more: Partial<OpenConnection> = {}): OpenConnection {
  const connection: OpenConnection = {
    ...{ number: 7, startedMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678) },
    source: { address: "10.0.0.2", port: 40_000 },
    destination: { address: "192.0.2.10", port: 5432 },
    ...more,
  };
  const decision = evaluate(policy, attemptOf(connection, answers));
  assert.ok(decision.verdict === "allow" || decision.verdict === "deny", decision.verdict);
  return { ...connection, outcome: decision };
}

function recorded(policy: Policy, connection: OpenConnection, end: Partial<Finished> = {}) {
  const ended: Finished = { sent: 0, received: 0, totalMs: 9, by: "sidecar", how: "end", ...end };
  const pod = { name: "web-0", namespace: "shop" };
  return recordOf(connection, ended, { pod, answers, policy: () => policy });
}

test("the record of a relayed connection says where it went, by which rule, what moved and who ended it", () => {
  const policy = policyOf("enforce");
  assert.deepEqual(
    recorded(policy, decided(policy), {
      ...{ sent: 11, received: 22, connectMs: 1.5, totalMs: 9.25, dialled: 0, by: "upstream" },
    }),
    {
      time: "2026-01-02T03:04:05.678Z",
      pod: "web-0",
      namespace: "shop",
      connection: 7,
      verdict: "allow",
      reason: "allowed.rule",
      rule: "shop/web",
      entry: 0,
      matched: "192.0.2.0/24:5432-5440",
      original_address: "192.0.2.10",
      original_port: 5432,
      dialled_address: "192.0.2.10",
      dialled_port: 5432,
      bytes_sent: 11,
      bytes_received: 22,
      connect_ms: 1.5,
      duration_ms: 9.25,
      closed_by: "upstream",
      closed_how: "end",
    },
  );
});

test("an IPv6 range stands in brackets, so that its port can be told from it", () => {
  const policy = policyOf("enforce");
  const record = recorded(
    policy,
    decided(policy, { destination: { address: "2001:db8::1", port: 5432 } }),
  );
  assert.equal(record.matched, "[2001:db8::/32]:5432-5440");
});

test("a connection allowed by name has the name, where it came from, its answers and the one dialled", () => {
  const policy = policyOf("enforce", ["*.example.com"]);
  const record = recorded(
    policy,
    decided(policy, {
      destination: { address: "203.0.113.66", port: 443 },
      seen: { protocol: "tls", name: "api.example.com" },
      resolved: new Map([["api.example.com", ["93.184.216.34", "93.184.216.35"]]]),
    }),
    { dialled: 1 },
  );
  assert.deepEqual(
    [record.name, record.name_source, record.protocol, record.matched, record.entry],
    ["api.example.com", "sni", "tls", "*.example.com:443", 1],
  );
  assert.deepEqual(record.resolved, ["93.184.216.34", "93.184.216.35"]);
  assert.equal(record.dialled_address, "93.184.216.35");
});

test("a refusal was not dialled, names the nearest rule, and its reset is no error", () => {
  const policy = policyOf("enforce", ["*.example.com"]);
  const connection = decided(policy, {
    destination: { address: "203.0.113.66", port: 443 },
    seen: { protocol: "tls", name: "example.com" },
  });
  const record = recorded(policy, connection, { how: "refused", error: "ECONNRESET" });
  assert.deepEqual(
    [record.verdict, record.reason, record.nearest, record.closed_how],
    ["deny", "denied.no_rule", "shop/web", "refused"],
  );
  assert.equal("dialled_address" in record || "error" in record, false);
});

test("in audit mode the record says what enforce mode would have said, and which rule came closest", () => {
  const policy = policyOf("audit", ["*.example.com"]);
  const connection = decided(policy, {
    destination: { address: "203.0.113.66", port: 443 },
    seen: { protocol: "tls", name: "example.com" },
  });
  const record = recorded(policy, connection, { dialled: 0 });
  assert.deepEqual(
    [record.verdict, record.reason, record.would_be, record.nearest, record.dialled_address],
    ["allow", "allowed.audit", "denied.no_rule", "shop/web", "203.0.113.66"],
  );
});

test("a connection whose destination nobody knows is recorded with the system's word for it", () => {
  const policy = policyOf("enforce");
  const outcome = { verdict: "trouble", reason: "failed.internal", error: "ENOPROTOOPT" } as const;
  const record = recorded(policy, { ...decided(policy), outcome }, { how: "refused" });
  assert.deepEqual(
    [record.verdict, record.reason, record.error],
    ["deny", "failed.internal", "ENOPROTOOPT"],
  );
});

for (const [name, how, seen, reason] of [
  ["an app that left without a word", "end", undefined, "denied.name_missing"],
  ["an app that left while its name was resolved", "reset", "api.example.com", "failed.dns"],
  ["a sidecar too busy to decide", "timeout", undefined, "failed.internal"],
] as const)
  test(`${name} is recorded, undecided, as ${reason}`, () => {
    const policy = policyOf("enforce");
    const connection: OpenConnection = {
      ...decided(policy),
      outcome: undefined,
      ...(seen && { seen: { protocol: "tls", name: seen } }),
    };
    const record = recorded(policy, connection, { how, by: "app" });
    assert.deepEqual([record.verdict, record.reason], ["deny", reason]);
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
    const policy = policyOf("enforce");
    const record = recorded(policy, decided(policy), { how: "failed", dialled: 0, error });
    assert.deepEqual([record.reason, record.error, record.closed_how], [reason, error, "failed"]);
    assert.deepEqual([record.verdict, record.rule], ["allow", "shop/web"]);
  });

for (const [how, revoked, closed, reason] of [
  ["reset", false, "reset", "allowed.rule"],
  ["timeout", false, "timeout", "allowed.rule"],
  ["closed", false, "drain", "allowed.rule"],
  ["closed", true, "revoked", "revoked"],
  ["end", true, "end", "allowed.rule"],
] as const)
  test(`an allowed connection cut by ${how}${revoked ? ", revoked" : ""}, is ${closed}, for the reason ${reason}`, () => {
    const policy = policyOf("enforce");
    const record = recorded(policy, { ...decided(policy), revoked }, { how, dialled: 0 });
    assert.deepEqual([record.reason, record.closed_how], [reason, closed]);
  });

describe("a connection through a Service that leads out", () => {
  const endpoints = [
    { address: "198.51.100.9", port: 5432 },
    { address: "192.0.2.10", port: 5433 },
    { address: "2001:db8::9", port: 5440 },
  ];
  const cluster = {
    leadingOut: [
      {
        ...{ namespace: "shop", name: "db", addresses: ["10.96.7.7"] },
        ports: [{ port: 5432, endpoints }],
      },
    ],
  };
  const destination = { address: "10.96.7.7", port: 5432 };

  test("names the Service, and what it was judged by, first what was dialled", () => {
    const policy = policyOf("enforce", [], cluster);
    const record = recorded(policy, decided(policy, { destination }), { dialled: 0 });
    assert.deepEqual(
      [record.reason, record.service, record.original_address, record.original_port],
      ["allowed.rule", "shop/db", "10.96.7.7", 5432],
    );
    assert.deepEqual([record.dialled_address, record.dialled_port], ["192.0.2.10", 5433]);
    assert.deepEqual(record.service_endpoints, [
      ...["192.0.2.10:5433", "198.51.100.9:5432", "[2001:db8::9]:5440"],
    ]);
  });

  for (const mode of ["enforce", "audit"] as const)
    test(`is judged again from its record as it was, in ${mode} mode, refused or not`, () => {
      for (const allowed of [true, false]) {
        const leads = allowed ? endpoints : endpoints.slice(0, 1);
        const [service] = cluster.leadingOut;
        const there = { leadingOut: [{ ...service, ports: [{ port: 5432, endpoints: leads }] }] };
        const policy = policyOf(mode, [], there as typeof cluster);
        const record = recorded(policy, decided(policy, { destination, number: 3 }));
        const unaware = evaluate(policyOf("enforce", []), replayed(record));
        const reason = record.would_be ?? record.reason;
        assert.equal("reason" in unaware && unaware.reason, reason);
        assert.equal(reason, allowed ? "allowed.rule" : "denied.no_rule");
      }
    });
});
