import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluate } from "@sallyport/core/evaluate";
import { PolicySource } from "@sallyport/core/policy-source";
import { givenBy, PolicyHolder } from "../src/policy-holder.ts";

const first = givenBy(PolicySource.parse({}));
const second = givenBy(
  PolicySource.parse({ mode: "enforce", cluster: { ranges: ["10.0.0.0/8"] } }),
);
const delivered = {
  snapshot: second.snapshot,
  from: "controllers" as const,
  ...{ revision: "a", basis: { rules: "7" } },
};

test("a policy that differs is in force at once, under the next version", () => {
  const holder = new PolicyHolder(first, 1_000);
  assert.equal(holder.apply(second, 2_000), true);
  assert.deepEqual([holder.version, holder.appliedMs, holder.policy.mode], [2, 2_000, "enforce"]);
  assert.deepEqual(holder.given, second);
});

test("the same again changes nothing, not even its age", () => {
  const holder = new PolicyHolder(first, 1_000);
  assert.equal(holder.apply({ ...first, snapshot: { ...first.snapshot } }, 2_000), false);
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

test("before the first policy nothing is permitted, and there is none to tell of", () => {
  const holder = new PolicyHolder(undefined, 1_000);
  assert.deepEqual([holder.version, holder.given], [0, undefined]);
  for (const address of ["93.184.216.34", "10.96.0.1", "127.0.0.1"])
    assert.equal(evaluate(holder.policy, { address, port: 443 }).verdict, "deny", address);
  assert.equal(holder.apply(delivered, 2_000), true);
  assert.deepEqual([holder.version, holder.appliedMs, holder.given], [1, 2_000, delivered]);
});

test("the same revision, made from newer objects, is in force since when it was, on a newer basis", () => {
  const holder = new PolicyHolder({ ...delivered, from: "kept" }, 1_000);
  assert.equal(holder.apply({ ...delivered, basis: { rules: "9" } }, 2_000), false);
  assert.deepEqual([holder.version, holder.appliedMs], [1, 1_000]);
  assert.deepEqual([holder.given?.from, holder.given?.basis], ["controllers", { rules: "9" }]);
});
