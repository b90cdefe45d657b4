import assert from "node:assert/strict";
import { test } from "node:test";
import { PolicySource } from "@sallyport/core/policy-source";
import { PolicyHolder } from "../src/policy-holder.ts";

const first = PolicySource.parse({});
const second = PolicySource.parse({ mode: "enforce", cluster: { ranges: ["10.0.0.0/8"] } });

test("a policy that differs is in force at once, under the next version", () => {
  const holder = new PolicyHolder(first, 1_000);
  assert.equal(holder.apply(second, 2_000), true);
  assert.deepEqual([holder.version, holder.appliedMs, holder.policy.mode], [2, 2_000, "enforce"]);
  assert.deepEqual(holder.source, second);
});

test("the same again changes nothing, not even its age", () => {
  const holder = new PolicyHolder(first, 1_000);
  assert.equal(holder.apply({ ...first }, 2_000), false);
  assert.deepEqual([holder.version, holder.appliedMs], [1, 1_000]);
});

test("what cannot be used leaves the policy in force, and is told until something usable comes", () => {
  const holder = new PolicyHolder(second, 1_000);
  const inForce = holder.policy;
  holder.reject("policy.json: mode");
  assert.equal(holder.policy, inForce);
  assert.deepEqual([holder.version, holder.rejected, holder.problem], [1, 1, "policy.json: mode"]);
  holder.apply(second, 2_000);
  assert.deepEqual([holder.version, holder.rejected, holder.problem], [1, 1, undefined]);
});
