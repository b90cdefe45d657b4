import assert from "node:assert/strict";
import { BlockList } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import * as z from "zod";
import { evaluate } from "../src/evaluate.ts";
import { compile, PolicySource, parseDestination } from "../src/policy.ts";
import { REASONS } from "../src/reasons.ts";

const enforce = (...allow: string[]) => compile({ mode: "enforce", allow });

for (const [allow, address, port, allowed] of [
  ["203.0.113.0/24:443", "203.0.113.7", 443, true],
  ["203.0.113.0/24:443", "203.0.113.7", 80, false],
  ["203.0.113.0/24:443", "203.0.114.7", 443, false],
  ["203.0.113.0/24:443", "::ffff:203.0.113.7", 443, true],
  ["203.0.113.7:8000-8100", "203.0.113.7", 8_100, true],
  ["203.0.113.7:8000-8100", "203.0.113.7", 8_101, false],
  ["203.0.113.7:*", "203.0.113.7", 1, true],
  ["[2001:db8::/32]:443", "2001:db8::1", 443, true],
  ["[2001:db8::/32]:443", "2001:db9::1", 443, false],
  ["0.0.0.0/0:443", "2001:db8::1", 443, false],
  ["[::/0]:443", "203.0.113.7", 443, false],
  ["0.0.0.0/0:*", "not an address", 443, false],
] as const)
  test(`${allow} and ${address} port ${port}: ${allowed ? "allowed by it" : "denied"}`, () => {
    const decision = evaluate(enforce(allow), { address, port });
    assert.deepEqual(
      decision,
      allowed
        ? { verdict: "allow", reason: "allowed.rule", rule: allow, dial: [address] }
        : { verdict: "deny", reason: "denied.no_rule" },
    );
  });

test("the first entry that covers it names the verdict", () => {
  const decision = evaluate(enforce("10.0.0.0/8:1", "10.0.0.0/8:*", "10.1.0.0/16:443"), {
    address: "10.1.2.3",
    port: 443,
  });
  assert.equal(decision.verdict === "allow" && decision.rule, "10.0.0.0/8:*");
});

test("audit lets everything pass, and says what enforce would have said", () => {
  const policy = compile({ mode: "audit", allow: ["10.0.0.0/8:443"] });
  assert.deepEqual(evaluate(policy, { address: "192.0.2.1", port: 443 }), {
    verdict: "allow",
    reason: "allowed.audit",
    dial: ["192.0.2.1"],
    wouldBe: "denied.no_rule",
  });
  const covered = evaluate(policy, { address: "10.0.0.1", port: 443 });
  assert.equal(covered.reason, "allowed.rule");
});

test("a policy of many entries decides as Node's BlockList does", () => {
  const octet = fc.integer({ min: 0, max: 3 });
  const address = fc.tuple(octet, octet, octet, octet).map((parts) => parts.join("."));
  const entry = fc.record({
    address,
    prefix: fc.integer({ min: 24, max: 32 }),
    port: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 20 }), address, octet, (entries, dialled, port) => {
      const lists = new Map<number, BlockList>();
      const allow = entries.map((one) => {
        const bits = 32 - one.prefix;
        const value = one.address.split(".").reduce((all, part) => all * 256 + Number(part), 0);
        const base = Math.floor(value / 2 ** bits) * 2 ** bits;
        const text = [24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256).join(".");
        const list = lists.get(one.port) ?? new BlockList();
        list.addSubnet(text, one.prefix);
        lists.set(one.port, list);
        return `${text}/${one.prefix}:${one.port}`;
      });
      const decision = evaluate(enforce(...allow), { address: dialled, port });
      assert.equal(decision.verdict === "allow", lists.get(port)?.check(dialled) ?? false);
    }),
    { seed: 4_002, numRuns: 2_000 },
  );
});

test("every mistake of a policy is reported at once, with its path and what was expected", () => {
  const result = PolicySource.safeParse({
    mode: "open",
    allow: ["10.0.0.1/8:443", "example.com:443", "10.0.0.0/8", "10.0.0.0/8:0", "2001:db8::/32:1"],
    deny: [],
  });
  assert.ok(!result.success);
  const text = z.prettifyError(result.error);
  for (const expected of [
    /at mode/,
    /host bits set.*\n.*at allow\[0\]/,
    /"example\.com" is not a CIDR.*\n.*at allow\[1\]/,
    /expected CIDR:PORTS.*\n.*at allow\[2\]/,
    /"0" is not a port.*\n.*at allow\[3\]/,
    /\[2001:db8::\/32\]:443.*\n.*at allow\[4\]/,
    /Unrecognized key: "deny"/,
  ])
    assert.match(text, expected);
});

for (const text of [
  "10.0.0.0/8:443-442",
  "10.0.0.0/8:443-",
  "10.0.0.0/8:1-2-3",
  "10.0.0.0/8:65536",
  "[10.0.0.0/8:1",
])
  test(`"${text}" is no destination`, () => assert.ok(parseDestination(text) instanceof Error));

test("each reason is one sentence without an end, and of a known kind", () => {
  for (const [reason, meaning] of Object.entries(REASONS)) {
    assert.match(reason, /^(allowed|denied|failed)\.[a-z_]+$/);
    assert.doesNotMatch(meaning, /[.!]$/);
  }
});
