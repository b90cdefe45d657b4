import assert from "node:assert/strict";
import { test } from "node:test";
import { overUnknown } from "@sallyport/controller/rules/over-unknown";
import { boundary, unusable } from "../boundaries.ts";

for (const [what, boundaries, expected] of [
  ["there is no boundary", [], []],
  ["none asks anything of pods", [boundary("a", { mode: "audit" }), boundary("b", {})], []],
  ["one requires the sidecar", [boundary("a", { injection: "required" })], undefined],
  ["one permits some bypasses alone", [boundary("a", { workloadOverrides: [] })], undefined],
  ["one cannot be used", [boundary("a", {}), unusable("b")], undefined],
] as const)
  test(`over a namespace so new that nobody knows it, where ${what}: ${expected ? "none" : "nobody can tell"}`, () => {
    assert.deepEqual(overUnknown(boundaries), expected);
  });
