import assert from "node:assert/strict";
import { test } from "node:test";
import type { Failure } from "../../src/resolve/answer.ts";
import { DEFAULTS, lifetimeMs } from "../../src/resolve/limits.ts";

for (const [what, addresses, ttlSeconds, failure, expectedMs] of [
  ["a TTL is what it says", 1, 300, undefined, 300_000],
  ["a TTL of 0 lasts one second", 1, 0, undefined, 1_000],
  ["a TTL of a day lasts an hour", 1, 86_400, undefined, 3_600_000],
  ["a TTL with its highest bit set is one of 0", 1, 0x8000_0001, undefined, 1_000],
  ["half an answer lasts half a minute", 1, 300, "timeout", 30_000],
  ["half an answer lasts no longer than its TTL", 1, 10, "timeout", 10_000],
  ["no such name lasts five seconds", 0, 0, "not_found", 5_000],
  ["no address lasts five seconds", 0, 0, "no_address", 5_000],
  ["no answer lasts one second", 0, 0, "timeout", 1_000],
  ["a resolver's failure lasts one second", 0, 0, "server_failure", 1_000],
] as const satisfies readonly (readonly [string, number, number, Failure | undefined, number])[])
  test(what, () =>
    assert.equal(
      lifetimeMs(
        { addresses: Array<string>(addresses).fill("192.0.2.1"), ttlSeconds, failure },
        DEFAULTS,
      ),
      expectedMs,
    ),
  );
