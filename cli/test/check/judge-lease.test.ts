import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeLease } from "@sallyport/cli/check/judge-lease";
import { type Any, factsOf } from "./facts-of.ts";

const NOW = Date.parse("2026-11-21T15:00:00Z");
const ago = (seconds: number) => new Date(NOW - seconds * 1_000).toISOString();

/** Written so long ago by the API server's clock, renewed so long ago by the holder's. */
const held = (written: number | undefined, renewed: number, holderIdentity = "one") => ({
  value: {
    metadata: {
      creationTimestamp: ago(86_400),
      managedFields: [
        { time: ago(0), fieldsV1: { "f:metadata": {} } },
        ...(written === undefined
          ? []
          : [{ time: ago(written), fieldsV1: { "f:spec": { "f:renewTime": {} } } }]),
      ],
    },
    spec: { holderIdentity, leaseDurationSeconds: 15, renewTime: ago(renewed) },
  },
});
const empty = (age: number) => ({ value: { metadata: { creationTimestamp: ago(age) } } });

const found = (lease: Any, args = ["--lease=sallyport-controller"], changes = {}) =>
  judgeLease(factsOf({ lease, atMs: NOW, ...changes }), args).map(({ code }) => code);

for (const [what, lease, expected] of [
  ["it is gone", { absent: true }, ["lease_missing"]],
  ["it may not be read", { unknown: "no", forbidden: true }, []],
  ["it was renewed just now", held(2, 2), []],
  ["it has run out, and may be taken yet", held(44, 44), []],
  ["it ran out half a minute ago", held(46, 46), ["nobody_leads"]],
  ["it ran out, and the holder's clock is an hour ahead", held(46, -3_600), ["nobody_leads"]],
  ["it is renewed, and the holder's clock is an hour behind", held(2, 3_600), []],
  ["it ran out, and only the holder's clock tells", held(undefined, 46), ["nobody_leads"]],
  ["it was given back, and may be taken yet", held(20, 20, ""), []],
  ["it was given back, and nobody took it", held(31, 31, ""), ["nobody_leads"]],
  ["it is new, and was never held", empty(20), []],
  ["it is old, and was never held", empty(60), ["nobody_leads"]],
] as const)
  test(`the Lease: ${what}: ${expected.join() || "nothing to say"}`, () => {
    assert.deepEqual(found(lease), expected);
  });

test("controllers that hold no Lease, or are not there, are not asked about it", () => {
  assert.deepEqual(found({ absent: true }, ["--webhooks=sallyport"]), []);
  assert.deepEqual(found({ absent: true }, undefined, { deployment: { absent: true } }), []);
});
