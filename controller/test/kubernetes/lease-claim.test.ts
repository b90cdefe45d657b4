import assert from "node:assert/strict";
import { test } from "node:test";
import { claim, surrender } from "../../src/kubernetes/lease-claim.ts";

const NOW = new Date();
const ME = { identity: "me", leaseMs: 15_000 };
const longAgo = new Date(0);
const held = (holderIdentity: string) => ({
  ...{ holderIdentity, leaseDurationSeconds: 15, acquireTime: longAgo, renewTime: longAgo },
  leaseTransitions: 3,
});

for (const [what, spec, unchangedForMs, ours] of [
  ["a Lease that nobody has ever held", undefined, 0, true],
  ["a Lease that was given back", held(""), 0, true],
  ["our own", held("me"), 0, true],
  ["another's, seen for the first time", held("other"), 0, false],
  ["another's that changed lately, though its clock says 1970", held("other"), 14_999, false],
  ["another's that has not changed for as long as it lasts", held("other"), 15_000, true],
] as const)
  test(`${what} is ${ours ? "ours to take" : "not ours"}`, () => {
    assert.equal(claim(spec, ME, unchangedForMs, NOW)?.holderIdentity, ours ? "me" : undefined);
  });

test("taking a Lease counts a transition, renewing it does not", () => {
  const renewed = claim(held("me"), ME, 0, NOW);
  assert.deepEqual(
    [renewed?.leaseTransitions, renewed?.acquireTime, renewed?.renewTime],
    [3, longAgo, NOW],
  );
  const taken = claim(held("other"), ME, 15_000, NOW);
  assert.deepEqual([taken?.leaseTransitions, taken?.acquireTime, taken?.renewTime], [4, NOW, NOW]);
});

test("a Lease that is given back is the next one's at once", () => {
  const given = surrender(held("me"), NOW);
  assert.equal(given.leaseTransitions, 3);
  assert.equal(claim(given, { ...ME, identity: "next" }, 0, NOW)?.holderIdentity, "next");
});
