import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Answers, Attempt, Decision, Seen } from "../../src/decision.ts";
import { evaluate, restsOnWords } from "../../src/evaluate.ts";
import type { Policy } from "../../src/policy.ts";
import { answersOf } from "../cases.ts";
import { ALIASES, address, destination, lists, NAMES, port, resolved, seen } from "../random.ts";
import { policyFrom } from "../random-policy.ts";

const seed = 4_011;
const numRuns = 3_000;

/** Everything is known: nothing is left to ask for. */
function decide(policy: Policy, attempt: Omit<Attempt, "answers">, table: Table): Decision {
  return evaluate(policy, { ...attempt, answers: answersOf(policy, table) });
}
type Table = Readonly<Record<string, readonly string[]>>;

test("evaluate answers whatever it is asked", () => {
  const text = fc.oneof(fc.string(), address);
  const anything = fc.record({
    address: text,
    port: fc.oneof(fc.integer(), fc.constant(Number.NaN), port),
    seen: fc.option(
      fc.record(
        { protocol: text, name: text, invalidName: text, malformed: text },
        { requiredKeys: ["protocol"] },
      ),
      { nil: undefined },
    ),
    answers: fc.option(
      fc.tuple(fc.option(fc.array(text), { nil: undefined }), fc.array(text)).map(
        ([addresses, names]): Answers => ({
          addressesOf: () => addresses,
          namesOf: () => names,
        }),
      ),
      { nil: undefined },
    ),
  }) as fc.Arbitrary<Attempt>;
  fc.assert(
    fc.property(lists, anything, (random, attempt) => {
      const { verdict } = evaluate(policyFrom(random), attempt);
      assert.ok(["allow", "deny", "needs_name", "needs_addresses"].includes(verdict));
    }),
    { seed, numRuns },
  );
});

test("of a connection of which everything is known, nothing is asked", () => {
  fc.assert(
    fc.property(lists, address, port, seen, resolved, (random, dialled, at, said, table) => {
      const { verdict } = decide(
        policyFrom(random),
        { address: dialled, port: at, seen: said },
        table,
      );
      assert.ok(verdict === "allow" || verdict === "deny", verdict);
    }),
    { seed, numRuns },
  );
});

test("one more rule or baseline refuses nothing that was allowed", () => {
  fc.assert(
    fc.property(
      ...([lists, destination, address, port, seen, resolved] as const),
      (random, more, dialled, at, said, table) => {
        const attempt = { address: dialled, port: at, seen: said };
        fc.pre(decide(policyFrom(random), attempt, table).verdict === "allow");
        for (const wider of [
          { ...random, rules: [more, ...random.rules] },
          { ...random, baseline: [more, ...random.baseline] },
        ])
          assert.equal(decide(policyFrom(wider), attempt, table).verdict, "allow");
      },
    ),
    { seed, numRuns: 1_000 },
  );
});

test("one more deny or ceiling allows nothing that was refused", () => {
  fc.assert(
    fc.property(
      ...([lists, destination, address, port, seen, resolved] as const),
      (random, more, dialled, at, said, table) => {
        const attempt = { address: dialled, port: at, seen: said };
        fc.pre(decide(policyFrom(random), attempt, table).verdict === "deny");
        for (const narrower of [
          { ...random, deny: [more, ...random.deny] },
          { ...random, ceilings: [[more], ...random.ceilings] },
          { ...random, ceilings: [[], ...random.ceilings] },
        ])
          assert.equal(decide(policyFrom(narrower), attempt, table).verdict, "deny");
      },
    ),
    { seed, numRuns: 1_000 },
  );
});

test("nothing is dialled but the original address and our own answers for its name, said or found", () => {
  fc.assert(
    fc.property(lists, address, port, seen, resolved, (random, dialled, at, said, table) => {
      const decision = decide(
        policyFrom(random),
        { address: dialled, port: at, seen: said },
        table,
      );
      if (decision.verdict !== "allow") return;
      const answers = Object.entries(table);
      const meant = decision.externalName ?? said.name;
      const own = answers
        .filter(([name, its]) => name === meant || its.includes(dialled))
        .flatMap(([, its]) => its);
      for (const one of decision.dial) assert.ok(one === dialled || own.includes(one), one);
      assert.equal(new Set(decision.dial).size, decision.dial.length);
      assert.ok(!decision.dial.includes(dialled) || decision.dial[0] === dialled);
    }),
    { seed, numRuns },
  );
});

test("in audit mode everything passes, to the address that the app dialled", () => {
  fc.assert(
    fc.property(lists, address, port, seen, resolved, (random, dialled, at, said, table) => {
      const enforcing = policyFrom(random);
      const auditing = policyFrom(random, [], "audit");
      const attempt = { address: dialled, port: at, seen: said };
      const strict = decide(enforcing, attempt, table);
      const lax = decide(auditing, attempt, table);
      assert.ok(lax.verdict === "allow");
      assert.deepEqual(lax.dial, [dialled]);
      assert.deepEqual(lax.wouldBe, strict.verdict === "deny" ? strict : undefined);
    }),
    { seed, numRuns },
  );
});

/** All that an app could say in this world. */
const SAYINGS: readonly Seen[] = [
  ...(["tls", "http"] as const).flatMap((protocol) =>
    [...NAMES, ...ALIASES].map((name) => ({ protocol, name })),
  ),
  ...(["tls", "http", "http2", "opaque", "silent"] as const).map((protocol) => ({ protocol })),
  { protocol: "tls", invalidName: "8.8.8.8" },
  { protocol: "tls", malformed: "two server names" },
];

test("what is decided without a look is what any look would have shown", () => {
  fc.assert(
    fc.property(lists, address, port, resolved, (random, dialled, at, table) => {
      const policy = policyFrom(random);
      const early = decide(policy, { address: dialled, port: at }, table);
      fc.pre(early.verdict === "allow" || early.verdict === "deny");
      for (const said of SAYINGS) {
        const late = decide(policy, { address: dialled, port: at, seen: said }, table);
        // Whoever calls a destination by a denied name has denied it: that is not waited for, but it counts.
        const isOwnDenial =
          late.verdict === "deny" && late.reason === "denied.boundary" && said.name !== undefined;
        if (isOwnDenial) continue;
        assert.equal(late.verdict, early.verdict, JSON.stringify(said));
        // Nor does it leave otherwise because somebody happened to look.
        if (late.verdict !== "allow" || early.verdict !== "allow") continue;
        assert.deepEqual(
          { ...late, externalName: undefined },
          { ...early, externalName: undefined },
          JSON.stringify(said),
        );
      }
    }),
    { seed, numRuns },
  );
});

test("a verdict rests on words where without them it is no permission; in audit mode, where TLS is spoken for the app", () => {
  const counts = { resting: 0, standing: 0, originated: 0 };
  fc.assert(
    fc.property(lists, address, port, seen, resolved, (random, dialled, at, said, table) => {
      const attempt = { address: dialled, port: at, seen: said };
      const [enforcing, auditing] = [policyFrom(random), policyFrom(random, [], "audit")];
      const answers = answersOf(enforcing, table);
      const rests = restsOnWords(enforcing, { ...attempt, answers });
      const mute = decide(enforcing, { ...attempt, seen: undefined }, table);
      assert.equal(rests, mute.verdict !== "allow");
      const verdict = decide(enforcing, attempt, table);
      const originates = verdict.verdict === "allow" && verdict.originate === true;
      if (originates) assert.ok(rests, "who speaks TLS for the app has to take it");
      assert.equal(restsOnWords(auditing, { ...attempt, answers }), originates);
      counts[originates ? "originated" : rests ? "resting" : "standing"]++;
    }),
    { seed, numRuns },
  );
  for (const [what, count] of Object.entries(counts)) assert.ok(count >= 10, `${what}: ${count}`);
});

test("a look is asked for only where rules or boundaries speak of names or protocols on the port", () => {
  fc.assert(
    fc.property(lists, address, port, resolved, (random, dialled, at, table) => {
      fc.pre(
        decide(policyFrom(random), { address: dialled, port: at }, table).verdict === "needs_name",
      );
      const all = [random.rules, random.baseline, random.deny, ...random.ceilings].flat();
      assert.ok(
        all.some(({ ports }) =>
          ports.some(
            ({ port: first, endPort = first, protocol }) =>
              protocol !== "tcp" && first <= at && at <= endPort,
          ),
        ),
      );
    }),
    { seed, numRuns },
  );
});

test("asking ends: each answer given, at most three questions are put", () => {
  fc.assert(
    fc.property(lists, address, port, seen, resolved, (random, dialled, at, said, table) => {
      const policy = policyFrom(random);
      const known: Record<string, readonly string[]> = {};
      let attempt: Attempt = { address: dialled, port: at };
      for (let asked = 0; asked <= 4; asked++) {
        const decision = decide(policy, attempt, known);
        if (decision.verdict === "needs_name") {
          assert.equal(attempt.seen, undefined);
          attempt = { ...attempt, seen: said };
        } else if (decision.verdict === "needs_addresses") {
          assert.ok(decision.names.length > 0);
          for (const name of decision.names) {
            assert.ok(!(name in known), `${name} is asked for twice`);
            known[name] = table[name] ?? [];
          }
        } else {
          const whole = decide(policy, { ...attempt, seen: said }, table);
          const isOwnDenial = whole.verdict === "deny" && whole.reason === "denied.boundary";
          if (!isOwnDenial) assert.equal(decision.verdict, whole.verdict);
          return;
        }
      }
      assert.fail("it asks on and on");
    }),
    { seed, numRuns },
  );
});
