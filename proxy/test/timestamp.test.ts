import assert from "node:assert/strict";
import { test } from "node:test";
import { timestamp } from "../src/timestamp.ts";

test("a time is written as Date writes it, in whatever order they come", () => {
  for (const ms of [0, 1, 999, 1_000, 1_795_000_000_123, 1_795_000_000_999, 1_795_000_001_000, 999])
    assert.equal(timestamp(ms), new Date(ms).toISOString());
});
