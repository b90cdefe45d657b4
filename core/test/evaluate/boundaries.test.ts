import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluate } from "../../src/evaluate.ts";
import { Policy } from "../../src/policy.ts";
import { snapshotOf } from "../../src/policy-source.ts";
import { answersOf, attemptOf, inWords, sourceOf, table, to } from "../cases.ts";

const [A, B, EVIL] = ["8.8.8.1", "8.8.8.2", "6.6.6.6"];
const resolved = {
  "a.test": [A],
  "b.test": [B],
  "evil.test": [EVIL],
  "gone.test": [],
  "db.test": [A],
  "inside.test": ["10.1.0.1"],
};
const anywhere = to("0.0.0.0/0 1-65535 tcp");

table("without allow there is no ceiling", { rules: [anywhere], deny: [] }, resolved, [
  [`${A}:443`, `allowed.rule → ${A}`],
]);
table(
  "an empty allow permits no rule",
  { rules: [anywhere, to("a.test 80 tls")], allow: [] },
  resolved,
  [
    [`${A}:443`, "denied.ceiling by guard"],
    [`${A}:80`, "denied.ceiling by guard", "and no name could change that, so none is waited for"],
    [`${A}:80 sni a.test`, "denied.ceiling by guard"],
  ],
);
table(
  "a ceiling of ranges",
  {
    rules: [anywhere, to("a.test,b.test,inside.test,10.1.0.0/16 443 tls")],
    allow: [to("8.8.8.1/32 1-65535 tcp")],
  },
  resolved,
  [
    [`${A}:443`, `allowed.rule → ${A}`],
    [`${B}:443`, "needs_name", "which could lead to what is permitted"],
    [`${B}:443 opaque`, "denied.ceiling by guard"],
    ["10.1.0.1:443 sni inside.test", "denied.ceiling by guard"],
  ],
);
table(
  "a ceiling of names needs the name",
  {
    rules: [anywhere],
    allow: [to("a.test 443 tls"), to("db.test 5432 tcp")],
  },
  resolved,
  [
    [`${A}:443`, "needs_name"],
    [`${A}:443 sni a.test`, `allowed.rule → ${A}`],
    [`${EVIL}:443 sni a.test`, `allowed.rule → ${A}`, "a lying name leads to the real host"],
    [`${A}:443 sni b.test`, "denied.ceiling by guard"],
    [`${A}:443 opaque`, "denied.ceiling by guard"],
    [`${A}:80`, "denied.ceiling by guard"],
    [`${A}:5432`, `allowed.rule → ${A}`],
    [`${B}:5432`, "denied.ceiling by guard"],
  ],
);
table(
  "a ceiling's names with tcp have to be resolved",
  {
    rules: [anywhere],
    allow: [to("db.test 5432 tcp")],
  },
  {},
  [[`${A}:5432`, "needs_addresses db.test"]],
);
table(
  "a ceiling of names over a rule of one address",
  {
    rules: [to("8.8.8.1/32 443 tcp")],
    allow: [to("a.test,b.test 443 tls")],
  },
  resolved,
  [
    [`${A}:443 sni a.test`, `allowed.rule → ${A}`],
    [`${A}:443 sni b.test`, "denied.stale_address", "the address is not among the name's"],
    [`${B}:443`, "denied.no_rule", "no name could help where no rule does"],
    [`${B}:443 sni a.test`, "denied.no_rule"],
  ],
);

table(
  "a denied range",
  {
    rules: [anywhere, to("evil.test,a.test 443 tls")],
    deny: [to("6.6.6.0/24 1-65535 tcp"), to("8.8.8.2/32 443 tls")],
    baseline: [to("6.6.6.6/32 80 tcp")],
  },
  { ...resolved, "a.test": [A, EVIL] },
  [
    [`${EVIL}:443`, "denied.boundary by guard"],
    [`${EVIL}:80`, "denied.boundary by guard", "whatever the baseline says"],
    [`${B}:443 opaque`, "denied.boundary by guard", "whatever is spoken"],
    [`[64:ff9b::606:606]:443`, "denied.boundary by guard", "by what the address stands for"],
    [`9.9.9.9:443`, "allowed.rule → 9.9.9.9"],
  ],
);
table(
  "a denied range is checked of the address dialled, too",
  { rules: [to("evil.test,a.test 443 tls")], deny: [to("6.6.6.0/24 443 tcp")] },
  { ...resolved, "a.test": [A, EVIL] },
  [
    [`${A}:443 sni evil.test`, "denied.boundary by guard"],
    [`${A}:443 sni a.test`, `allowed.rule → ${A}`],
  ],
);
table(
  "a deny holds special ranges",
  { deny: [to("0.0.0.0/0 22 tcp")], cluster: { ranges: ["10.1.0.0/16"] } },
  {},
  [
    ["10.1.0.1:22", "denied.boundary by guard", "in the cluster, too"],
    ["10.1.0.1:23", "allowed.cluster → 10.1.0.1"],
  ],
);

table(
  "a denied name behind a permitted address",
  {
    rules: [anywhere],
    deny: [to("*.evil.test,evil.test 443 tls")],
    cluster: { ranges: ["10.1.0.0/16"] },
  },
  resolved,
  [
    [`${EVIL}:443`, "needs_name"],
    [`${EVIL}:443 sni evil.test`, "denied.boundary by guard"],
    [`${A}:443 sni evil.test`, "denied.boundary by guard", "at any address"],
    [`${A}:443 sni unknown.evil.test`, "denied.boundary by guard", "nobody is asked for it"],
    [`${A}:443 host evil.test`, "denied.boundary by guard", "whatever is spoken"],
    [`${EVIL}:443 sni a.test`, `allowed.rule → ${A}`, "a lying name leads to the real host"],
    [`${EVIL}:443 sni gone.test`, "failed.dns"],
    [`${EVIL}:443 sni new.test`, "needs_addresses new.test", "a name is proved by resolving it"],
    [`${A}:443 sni a.test`, `allowed.rule → ${A}`],
    [`${A}:443 tls`, "denied.name_missing"],
    [`${A}:443 opaque`, "denied.name_missing"],
    [`${A}:443 silent`, "denied.name_missing"],
    [`${A}:443 invalid 8.8.8.1`, "denied.name_invalid"],
    [`${A}:443 malformed two server names`, "denied.malformed"],
    [`${A}:80`, `allowed.rule → ${A}`, "on another port no name is needed"],
    ["10.1.0.1:443", "allowed.cluster → 10.1.0.1", "into the cluster none is needed"],
  ],
);
table(
  "a denied name behind one permitted address",
  { rules: [to("6.6.6.6/32 443 tcp")], deny: [to("evil.test 443 tls")] },
  resolved,
  [[`${EVIL}:443 sni a.test`, "denied.stale_address", "the name is not true of it"]],
);
table(
  "a denied name within ranges needs no name elsewhere",
  { rules: [anywhere, to("10.0.0.0/8 443 tcp")], deny: [to("inside.test,10.1.0.0/16 443 tls")] },
  resolved,
  [
    [`${A}:443`, `allowed.rule → ${A}`],
    ["10.1.0.1:443", "needs_name"],
    ["10.1.0.1:443 sni inside.test", "denied.boundary by guard"],
    [`${A}:443 sni inside.test`, `allowed.rule → ${A}`],
  ],
);
table(
  "a denied name with tcp",
  { rules: [anywhere, to("db.test 5432 tcp")], deny: [to("db.test 5432 tcp")] },
  resolved,
  [
    [`${A}:5432`, "denied.boundary by guard"],
    [`${B}:5432`, `allowed.rule → ${B}`, "and nothing is waited for"],
    [
      `${B}:5432 sni db.test`,
      "denied.boundary by guard",
      "what the app calls it counts against it",
    ],
  ],
);
table(
  "a denied name with tcp has to be resolved",
  { rules: [anywhere], deny: [to("db.test 5432 tcp")] },
  {},
  [
    [`${A}:5432`, "needs_addresses db.test"],
    [`${A}:443`, `allowed.rule → ${A}`],
  ],
);

table(
  "a baseline needs no rule, and no ceiling binds it",
  { baseline: [to("8.8.8.1/32 443 tcp"), to("b.test 443 tls"), to("db.test 5432 tcp")], allow: [] },
  resolved,
  [
    [`${A}:443`, `allowed.baseline → ${A}`],
    [`${B}:443`, "needs_name"],
    [`${EVIL}:443 sni b.test`, `allowed.baseline → ${B}`],
    [`${A}:5432`, `allowed.baseline → ${A}`],
    [`${A}:80`, "denied.no_rule"],
  ],
);

table(
  "what leaves is what a ceiling is about: https",
  {
    rules: [to("a.test 443 https"), to("a.test 80 http")],
    allow: [to("a.test 443 tls"), to("a.test 80 https")],
  },
  resolved,
  [
    [`${A}:443 host a.test`, `allowed.rule → ${A}, as TLS`],
    [`${A}:443 sni a.test`, `allowed.rule → ${A}`],
    [`${A}:80 host a.test`, "denied.ceiling by guard", "in the clear, where the ceiling says TLS"],
  ],
);
table(
  "where HTTP may leave both ways, it leaves as TLS",
  { rules: [to("a.test 443 http"), to("*.test 443 https")] },
  resolved,
  [[`${A}:443 host a.test`, `allowed.rule → ${A}, as TLS`]],
);
table(
  "HTTP leaves one way to all that may be dialled",
  {
    rules: [to("a.test,8.8.8.1/32 443 https"), to("a.test,8.8.8.2/32 443 http")],
  },
  { "a.test": [A, B] },
  [
    [`${A}:443 host a.test`, `allowed.rule → ${A}, as TLS`],
    [`${B}:443 host a.test`, `allowed.rule → ${B}`],
  ],
);

table(
  "audit lets pass what would be refused, and dials the original",
  { mode: "audit", rules: [to("a.test 443 tls")], deny: [to("6.6.6.6/32 1-65535 tcp")] },
  resolved,
  [
    [`${EVIL}:80`, `allowed.audit → ${EVIL}, would be denied.boundary by guard`],
    [`${B}:80`, `allowed.audit → ${B}, would be denied.no_rule`],
    [`${B}:443`, "needs_name"],
    [`${B}:443 sni a.test`, `allowed.rule → ${B}`],
    ["not-an-address:443", "allowed.audit → not-an-address, would be denied.no_rule"],
  ],
);

const boundary = (name: string, mode: "audit" | "enforce", spec: object) =>
  sourceOf({ mode, deny: [], ...spec }).boundaries.map((one) => ({ ...one, metadata: { name } }));

function over(mode: "audit" | "enforce", ...boundaries: ReturnType<typeof boundary>) {
  const source = sourceOf({ mode, rules: [anywhere] });
  return new Policy(snapshotOf({ ...source, boundaries }));
}

test("of several boundaries denies and baselines unite, and every ceiling has to allow", () => {
  const policy = over(
    "audit",
    ...boundary("first", "enforce", {
      deny: [to("8.8.8.1/32 443 tcp")],
      allow: [to("8.8.8.0/24 1-65535 tcp")],
    }),
    ...boundary("second", "enforce", {
      deny: [to("8.8.8.2/32 443 tcp")],
      allow: [to("0.0.0.0/0 443-444 tcp")],
      baseline: [to("9.9.9.9/32 80 tcp")],
    }),
  );
  const decide = (attempt: string) =>
    inWords(evaluate(policy, attemptOf(attempt, answersOf(policy, {}))));
  assert.equal(decide("8.8.8.1:443"), "denied.boundary by first");
  assert.equal(decide("8.8.8.2:443"), "denied.boundary by second");
  assert.equal(decide("8.8.8.3:443"), "allowed.rule → 8.8.8.3");
  assert.equal(decide("8.8.8.3:80"), "denied.ceiling by second");
  assert.equal(decide("9.9.9.8:443"), "denied.ceiling by first");
  assert.equal(decide("9.9.9.9:80"), "allowed.baseline → 9.9.9.9");
});

for (const [installation, boundaries, expected] of [
  ["audit", [], "audit"],
  ["enforce", [], "enforce"],
  ["enforce", ["audit"], "audit"],
  ["audit", ["enforce"], "enforce"],
  ["audit", ["audit", "enforce", "audit"], "enforce"],
] as const)
  test(`an installation in ${installation} under [${boundaries}] is in ${expected}`, () => {
    const all = boundaries.flatMap((mode, i) => boundary(`b${i}`, mode, {}));
    assert.equal(over(installation, ...all).mode, expected);
  });
