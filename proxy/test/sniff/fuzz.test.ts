import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzz } from "./fuzz.ts";

test("of mutated ClientHellos no name is read that OpenSSL would not have read", async () => {
  const { faults, tried, agreed, stricter } = await fuzz(4, 5_000);
  assert.deepEqual(faults, []);
  assert.ok(agreed > tried / 8, `only ${agreed} of ${tried} hellos were read by both`);
  assert.deepEqual(stricter, {});
});
