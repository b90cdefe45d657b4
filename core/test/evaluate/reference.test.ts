import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { evaluate } from "../../src/evaluate.ts";
import { answersOf } from "../cases.ts";
import { address, lists, port, resolved, seen } from "../random.ts";
import { policyFrom } from "../random-policy.ts";
import { referenceDial, standsFor } from "../reference.ts";

test("verdict and addresses to dial are those of a plain reading of the design", () => {
  const counts = new Map<string, number>();
  fc.assert(
    fc.property(lists, resolved, address, port, seen, (random, answers, dialled, at, said) => {
      const policy = policyFrom(random);
      const attempt = {
        address: dialled,
        port: at,
        seen: said,
        answers: answersOf(policy, answers),
      };
      const decision = evaluate(policy, attempt);
      const expected = referenceDial(random, answers, attempt);
      assert.deepEqual(decision.verdict === "allow" ? decision.dial : undefined, expected);
      assert.equal(decision.verdict, expected ? "allow" : "deny");
      if (decision.verdict === "allow" && said.name !== undefined) {
        const target = standsFor(random, said.name);
        assert.equal(decision.externalName, target === said.name ? undefined : target);
        const which = decision.externalName === undefined ? "itself" : "an alias";
        counts.set(which, (counts.get(which) ?? 0) + 1);
      }
      const reason =
        decision.verdict === "deny" || decision.verdict === "allow" ? decision.reason : "";
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }),
    { seed: 4_010, numRuns: 10_000 },
  );
  // What is drawn has to reach every verdict, or the comparison proves little.
  for (const reason of [
    ...["allowed.rule", "allowed.baseline", "allowed.cluster", "denied.no_rule"],
    ...["denied.boundary", "denied.ceiling", "denied.name_missing", "denied.name_invalid"],
    ...["denied.protocol", "denied.private_address", "denied.stale_address", "denied.malformed"],
    ...["failed.dns", "an alias"],
  ])
    assert.ok((counts.get(reason) ?? 0) >= 20, `${reason}: ${counts.get(reason)}`);
});
