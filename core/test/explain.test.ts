import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import type { Answers } from "../src/decision.ts";
import { evaluate } from "../src/evaluate.ts";
import { explain } from "../src/explain.ts";
import { formatRule } from "../src/manifest.ts";
import { Policy } from "../src/policy.ts";
import { PolicySource, snapshotOf } from "../src/policy-source.ts";
import { REASONS } from "../src/reasons.ts";
import { API_VERSION, EgressRule } from "../src/rules.ts";
import { answersOf, attemptOf, type Lists, policyOf, sourceOf, to } from "./cases.ts";
import { address, lists, port, resolved, seen } from "./random.ts";
import { policyFrom } from "./random-policy.ts";

const A = "8.8.8.1";
const resolvedNames = {
  "a.test": [A],
  "inside.test": ["10.20.0.5"],
  "db.test": ["8.8.8.9"],
  "db-inside.test": ["10.20.0.6"],
  "gone.test": [],
};

function explained(listsOf: Lists, text: string) {
  const policy = policyOf(listsOf);
  const attempt = attemptOf(text, answersOf(policy, resolvedNames));
  const denied = evaluate(policy, attempt);
  assert.ok(denied.verdict === "deny", `${text} is ${denied.verdict}`);
  const { message, nearest, egressRule, advice } = explain(policy, attempt, denied);
  return [
    message,
    ...(nearest ? [`nearest: ${nearest.rule}, entry ${nearest.entry}: ${nearest.why}`] : []),
    ...(egressRule
      ? [`rule ${egressRule.metadata.name}: ${JSON.stringify(egressRule.spec.to)}`]
      : []),
    ...(advice ? [`advice: ${advice}`] : []),
  ];
}

const leads = (name: string, own: string, port: number, ...endpoints: [string, number][]) => ({
  ...{ namespace: "shop", name, addresses: [own] },
  ports: [{ port, endpoints: endpoints.map(([address, at]) => ({ address, port: at })) }],
});
const leadingOut = {
  cluster: {
    ranges: ["10.96.0.0/12"],
    leadingOut: [
      leads("db", "10.96.7.7", 5432, [A, 15_432], ["8.8.8.2", 15_432], ["10.96.0.9", 15_432]),
      leads("api", "10.96.7.8", 443, [A, 8_443]),
    ],
  },
};

const httpbin = { namespace: "shop", name: "httpbin", externalName: "a.test" };
const anywhere = to("0.0.0.0/0 1-65535 tcp");
const named = { rules: [to("10.0.0.0/8 9 tcp"), to("*.a.test,a.test 443 tls")] };

const CASES: readonly (readonly [string, Lists, string, readonly string[]])[] = [
  [
    "a Service that leads out: with the rule for all that it leads to",
    { ...leadingOut, deny: [to("10.96.0.9/32 15432 tcp")], rules: [to("8.8.0.0/16 5432 tcp")] },
    "10.96.7.7:5432",
    [
      `10.96.7.7:5432 (Service shop/db, which leads outside the cluster to ${A}:15432) was refused: no rule permits it`,
      "nearest: shop/rule, entry 0: it permits 8.8.0.0/16 on 5432 (tcp), not on 15432",
      `rule allow-8-8-8-1-15432: [{"cidrs":["${A}/32","8.8.8.2/32"],"ports":[{"port":15432,"protocol":"tcp"}]}]`,
    ],
  ],
  [
    "a Service that leads out, by the name outside",
    leadingOut,
    "10.96.7.8:443 sni a.test",
    [
      `a.test at 10.96.7.8:443 (Service shop/api, which leads outside the cluster to ${A}:8443) was refused: no rule permits it`,
      'rule allow-a-test-8443: [{"hosts":["a.test"],"ports":[{"port":8443,"protocol":"tls"}]}]',
    ],
  ],
  [
    "a Service that leads out, by its own name: no rule by that helps",
    leadingOut,
    "10.96.7.8:443 sni api.shop.svc.cluster.local",
    [
      `api.shop.svc.cluster.local at 10.96.7.8:443 (Service shop/api, which leads outside the cluster to ${A}:8443) was refused: no rule permits it`,
      `rule allow-8-8-8-1-8443: [{"cidrs":["${A}/32"],"ports":[{"port":8443,"protocol":"tcp"}]}]`,
    ],
  ],
  [
    "a port that a Service that leads out does not have",
    { ...leadingOut, rules: [anywhere] },
    "10.96.7.8:444",
    [
      "10.96.7.8:444 (Service shop/api, which leads outside the cluster, and has no endpoint for port 444) was refused: no rule permits it",
      "advice: no rule can help: Service shop/api leads nowhere from port 444; see its ports, and their endpoints",
    ],
  ],
  [
    "a Service that leads out, and is denied itself",
    { ...leadingOut, deny: [to("10.96.7.8/32 443 tcp")] },
    "10.96.7.8:443",
    [
      "10.96.7.8:443 (Service shop/api, which leads outside the cluster) was refused: a boundary denies it, and no rule can change that (boundary guard)",
      "advice: boundary guard denies it; only who keeps that boundary can change this",
    ],
  ],
  [
    "nothing is known of the name",
    named,
    `${A}:443 sni other.test`,
    [
      `other.test at ${A}:443 was refused: no rule permits it`,
      'rule allow-other-test-443: [{"hosts":["other.test"],"ports":[{"port":443,"protocol":"tls"}]}]',
    ],
  ],
  [
    "a Host of another port than the one dialled",
    { rules: [to("a.test 80 http")] },
    `${A}:80 astray a.test:8080`,
    [
      `${A}:80 was refused: a name decides here, and what the app gave can match no host: an address, or no DNS name (the name given is "a.test:8080")`,
      "advice: no rule is needed for this: its Host is for port 8080, and it dialled 80; the app has to say the port that it dials, or none",
    ],
  ],
  [
    "a wildcard does not hold its suffix",
    { rules: [to("*.b.test 443 tls")] },
    `${A}:443 sni b.test`,
    [
      `b.test at ${A}:443 was refused: no rule permits it`,
      "nearest: shop/rule, entry 0: *.b.test holds the names below b.test, not b.test itself",
      'rule allow-b-test-443: [{"hosts":["b.test"],"ports":[{"port":443,"protocol":"tls"}]}]',
    ],
  ],
  [
    "another port",
    named,
    `${A}:8443 sni a.test`,
    [
      `a.test at ${A}:8443 was refused: no rule permits it`,
      "nearest: shop/rule, entry 1: it permits a.test on 443 (tls), not on 8443",
      'rule allow-a-test-8443: [{"hosts":["a.test"],"ports":[{"port":8443,"protocol":"tls"}]}]',
    ],
  ],
  [
    "another protocol",
    named,
    `${A}:443 host a.test`,
    [
      `a.test at ${A}:443 was refused: the app speaks another protocol than the rule says (it speaks HTTP)`,
      "nearest: shop/rule, entry 1: it permits a.test there as tls, and the app speaks HTTP",
      'rule allow-a-test-443: [{"hosts":["a.test"],"ports":[{"port":443,"protocol":"https"}]}]',
    ],
  ],
  [
    "HTTP on a port that is not 443",
    { rules: [to("a.test 8080 tls")] },
    `${A}:8080 host a.test`,
    [
      `a.test at ${A}:8080 was refused: the app speaks another protocol than the rule says (it speaks HTTP)`,
      "nearest: shop/rule, entry 0: it permits a.test there as tls, and the app speaks HTTP",
      'rule allow-a-test-8080: [{"hosts":["a.test"],"ports":[{"port":8080,"protocol":"http"}]}]',
    ],
  ],
  [
    "HTTP on 443, where a boundary allows it in the clear alone",
    { allow: [to("a.test 443 http")] },
    `${A}:443 host a.test`,
    [
      `a.test at ${A}:443 was refused: no rule permits it`,
      'rule allow-a-test-443: [{"hosts":["a.test"],"ports":[{"port":443,"protocol":"http"}]}]',
    ],
  ],
  [
    "HTTP/2 without TLS",
    { rules: [to("a.test 80 http")] },
    `${A}:80 http2`,
    [
      `${A}:80 was refused: the app speaks another protocol than the rule says (it speaks HTTP/2 without TLS)`,
      'rule allow-8-8-8-1-80: [{"cidrs":["8.8.8.1/32"],"ports":[{"port":80,"protocol":"tcp"}]}]',
      "advice: HTTP/2 without TLS is not judged: the app could speak HTTP/1.1 there (curl --http1.1), or a rule could permit the port as tcp",
    ],
  ],
  [
    "HTTP without a name, which could not be verified in TLS",
    { rules: [to("8.8.8.0/24 443 https")] },
    `${A}:443 astray ${A}`,
    [
      `${A}:443 was refused: a name decides here, and what the app gave can match no host: an address, or no DNS name (the name given is "${A}")`,
      "nearest: shop/rule, entry 0: it permits 8.8.8.0/24 there as https, and the app speaks HTTP",
      `rule allow-8-8-8-1-443: [{"cidrs":["${A}/32"],"ports":[{"port":443,"protocol":"tcp"}]}]`,
      "advice: the app could give a name (SNI or Host); or a rule could permit the address with protocol tcp",
    ],
  ],
  [
    "the name of a Service that stands for another",
    { rules: [to("other.test 443 https")], cluster: { externalNames: [httpbin] } },
    `${A}:443 host httpbin`,
    [
      `httpbin, which stands for a.test, at ${A}:443 was refused: no rule permits it`,
      'rule allow-a-test-443: [{"hosts":["a.test"],"ports":[{"port":443,"protocol":"https"}]}]',
    ],
  ],
  [
    "a rule that names the Service and not what it stands for",
    { rules: [to("httpbin.shop 80 http")], cluster: { externalNames: [httpbin] } },
    `${A}:80 host httpbin.shop`,
    [
      `httpbin.shop, which stands for a.test, at ${A}:80 was refused: no rule permits it`,
      "nearest: shop/rule, entry 0: it permits httpbin.shop, but httpbin.shop stands for a.test and is judged by that name",
      'rule allow-a-test-80: [{"hosts":["a.test"],"ports":[{"port":80,"protocol":"http"}]}]',
    ],
  ],
  [
    "a Service that stands for a name inside",
    {
      rules: [to("inside.test 443 tls")],
      cluster: { externalNames: [{ ...httpbin, externalName: "inside.test" }] },
    },
    `${A}:443 sni httpbin.shop.svc`,
    [
      `httpbin.shop.svc, which stands for inside.test, at ${A}:443 was refused: ${REASONS["denied.private_address"]} (it leads to 10.20.0.5)`,
      "nearest: shop/rule, entry 0: it permits inside.test at public addresses alone",
      'rule allow-inside-test-443: [{"hosts":["inside.test"],"cidrs":["10.20.0.5/32"],"ports":[{"port":443,"protocol":"tls"}]}]',
    ],
  ],
  [
    "no name",
    named,
    `${A}:443 silent`,
    [
      `${A}:443 was refused: a name decides here, and the app gave none (it said nothing)`,
      `rule allow-8-8-8-1-443: [{"cidrs":["${A}/32"],"ports":[{"port":443,"protocol":"tcp"}]}]`,
      "advice: the app could give a name (SNI or Host); or a rule could permit the address with protocol tcp",
    ],
  ],
  [
    "an address for a name",
    named,
    `${A}:443 invalid 8.8.8.1`,
    [
      `${A}:443 was refused: a name decides here, and what the app gave can match no host: an address, or no DNS name (the name given is "8.8.8.1")`,
      `rule allow-8-8-8-1-443: [{"cidrs":["${A}/32"],"ports":[{"port":443,"protocol":"tcp"}]}]`,
      "advice: the app could give a name (SNI or Host); or a rule could permit the address with protocol tcp",
    ],
  ],
  [
    "a malformed beginning",
    named,
    `${A}:443 malformed two server names`,
    [
      `${A}:443 was refused: ${REASONS["denied.malformed"]} (two server names)`,
      "advice: no rule by name can help: see what the app sends",
    ],
  ],
  [
    "a name that leads inside",
    { rules: [to("inside.test 443 tls")] },
    `${A}:443 sni inside.test`,
    [
      `inside.test at ${A}:443 was refused: ${REASONS["denied.private_address"]} (it leads to 10.20.0.5)`,
      "nearest: shop/rule, entry 0: it permits inside.test at public addresses alone",
      'rule allow-inside-test-443: [{"hosts":["inside.test"],"cidrs":["10.20.0.5/32"],"ports":[{"port":443,"protocol":"tls"}]}]',
    ],
  ],
  [
    "a name outside its ranges",
    { rules: [to("a.test,10.0.0.0/8 443 tls")] },
    `${A}:443 sni a.test`,
    [
      `a.test at ${A}:443 was refused: no rule permits it`,
      "nearest: shop/rule, entry 0: it permits a.test at 10.0.0.0/8 alone",
      'rule allow-a-test-443: [{"hosts":["a.test"],"ports":[{"port":443,"protocol":"tls"}]}]',
    ],
  ],
  [
    "a name without an address",
    { rules: [to("gone.test 443 tls")] },
    `${A}:443 sni gone.test`,
    [
      `gone.test at ${A}:443 is permitted, but its name could not be resolved: ${REASONS["failed.dns"]}`,
      "advice: see that gone.test exists, and that the sidecar's resolvers answer for it",
    ],
  ],
  [
    "an address that is none of a name's",
    { rules: [to("db.test 5432 tcp")] },
    `${A}:5432`,
    [
      `${A}:5432 was refused: ${REASONS["denied.stale_address"]}`,
      `nearest: shop/rule, entry 0: ${A} is not among our own answers for db.test`,
      `rule allow-8-8-8-1-5432: [{"cidrs":["${A}/32"],"ports":[{"port":5432,"protocol":"tcp"}]}]`,
    ],
  ],
  [
    "a name with tcp, given by the app",
    { rules: [to("db.test 5432 tcp")] },
    `${A}:5432 sni db.test`,
    [
      `db.test at ${A}:5432 was refused: ${REASONS["denied.stale_address"]}`,
      `nearest: shop/rule, entry 0: ${A} is not among our own answers for db.test`,
      'rule allow-db-test-5432: [{"hosts":["db.test"],"ports":[{"port":5432,"protocol":"tls"}]}]',
    ],
  ],
  [
    "a range inside, for another protocol",
    { rules: [to("10.0.0.0/8 443 tls"), to("10.1.0.0/16 80 tcp")] },
    "10.1.0.1:443 opaque",
    [
      "10.1.0.1:443 was refused: the app speaks another protocol than the rule says (it speaks neither TLS nor HTTP)",
      "nearest: shop/rule, entry 0: it permits 10.0.0.0/8 there as tls, and the app speaks neither TLS nor HTTP",
      'rule allow-10-1-0-1-443: [{"cidrs":["10.1.0.1/32"],"ports":[{"port":443,"protocol":"tcp"}]}]',
    ],
  ],
  [
    "a database inside",
    { rules: [to("db-inside.test 5432 tcp")] },
    "10.20.0.6:5432",
    [
      `10.20.0.6:5432 was refused: ${REASONS["denied.private_address"]}`,
      "nearest: shop/rule, entry 0: it permits db-inside.test at public addresses alone",
      'rule allow-10-20-0-6-5432: [{"cidrs":["10.20.0.6/32"],"ports":[{"port":5432,"protocol":"tcp"}]}]',
    ],
  ],
  [
    "a range too wide for where it leads",
    { rules: [anywhere] },
    "[64:ff9b::a9fe:a9fe]:80",
    [
      "[64:ff9b::a9fe:a9fe]:80 was refused: no rule permits it",
      "nearest: shop/rule, entry 0: 0.0.0.0/0 means the public addresses in it; 169.254.169.254 lies in a special range, which only a CIDR inside that range reaches",
      'rule allow-64-ff9b-a9fe-a9fe-80: [{"cidrs":["169.254.169.254/32"],"ports":[{"port":80,"protocol":"tcp"}]}]',
    ],
  ],
  [
    "a denial",
    { rules: [anywhere], deny: [to("8.8.8.0/24 443 tcp")] },
    `${A}:443 sni a.test`,
    [
      `a.test at ${A}:443 was refused: a boundary denies it, and no rule can change that (boundary guard)`,
      "advice: boundary guard denies it; only who keeps that boundary can change this",
    ],
  ],
  [
    "a ceiling",
    { rules: [anywhere], allow: [] },
    `${A}:443`,
    [
      `${A}:443 was refused: a rule permits it, but a boundary over the namespace does not (boundary guard)`,
      "advice: a rule permits it already; boundary guard has to allow it, too, which who keeps it can change",
    ],
  ],
  [
    "no rule, and a ceiling that would refuse one",
    { allow: [] },
    `${A}:443 sni a.test`,
    [
      `a.test at ${A}:443 was refused: no rule permits it`,
      "advice: a rule is not enough: boundary guard does not allow it, which only who keeps it can change",
    ],
  ],
  [
    "no name where a denial speaks of names",
    { rules: [anywhere], deny: [to("evil.test 443 tls")] },
    `${A}:443 opaque`,
    [
      `${A}:443 was refused: a name decides here, and the app gave none`,
      "nearest: shop/rule, entry 0: it permits 0.0.0.0/0 there as tcp, but the boundaries need a name that is true of the address",
      "advice: the app has to give a name (SNI or Host)",
    ],
  ],
];

for (const [title, listsOf, attempt, lines] of CASES)
  test(`explained: ${title}`, () => assert.deepEqual(explained(listsOf, attempt), lines));

test("nothing of another namespace is shown, not even where its rule would permit it", () => {
  const source = sourceOf({ rules: [to("b.test 443 tls")] });
  const foreign = {
    ...{ apiVersion: API_VERSION, kind: "EgressRule" as const },
    metadata: { name: "secret-rule", namespace: "other" },
    spec: { to: [to("*.test,secret.test 443 tls"), anywhere] },
  };
  const policy = new Policy(
    snapshotOf(PolicySource.parse({ ...source, rules: [foreign, ...source.rules] })),
  );
  const attempt = attemptOf(`${A}:443 sni a.test`, answersOf(policy, resolvedNames));
  const denied = evaluate(policy, attempt);
  assert.ok(denied.verdict === "deny");
  const text = JSON.stringify(explain(policy, attempt, denied));
  assert.doesNotMatch(text, /secret|other/);
  assert.match(text, /"namespace":"shop"/);
});

test("a rule that is offered permits the attempt, and reads back from its YAML as itself", () => {
  let offered = 0;
  fc.assert(
    fc.property(lists, address, port, seen, resolved, (random, dialled, at, said, table) => {
      const policy = policyFrom(random);
      const answers: Answers = answersOf(policy, table);
      const attempt = { address: dialled, port: at, seen: said, answers };
      const denied = evaluate(policy, attempt);
      if (denied.verdict !== "deny") return;
      const { egressRule } = explain(policy, attempt, denied);
      if (!egressRule) return;
      offered++;
      assert.deepEqual(EgressRule.parse(parse(formatRule(egressRule))), egressRule);
      assert.equal(egressRule.metadata.namespace, "shop");
      assert.equal(evaluate(policyFrom(random, egressRule.spec.to), attempt).verdict, "allow");
    }),
    { seed: 4_020, numRuns: 5_000 },
  );
  assert.ok(offered > 500, `${offered}`);
});

for (const namespace of ["shop", "123", "true", "null", "1e3", "0x1f", "no", "on", "y"])
  test(`a rule of namespace ${namespace} reads back from its YAML as itself`, () => {
    const rule = EgressRule.parse({
      apiVersion: API_VERSION,
      kind: "EgressRule",
      metadata: { name: "one", namespace, labels: { team: "no" } },
      spec: {
        selector: {
          matchLabels: { app: "web" },
          matchExpressions: [{ key: "x", operator: "Exists" }],
        },
        to: [to("*.a.test,b.test,10.0.0.0/8 1-3 tls"), to("::/0 80 tcp")],
      },
    });
    for (const version of ["1.1", "1.2"] as const)
      assert.deepEqual(parse(formatRule(rule), { version }), rule);
  });

test("each reason is one sentence without an end, and of a known kind", () => {
  for (const [reason, meaning] of Object.entries(REASONS)) {
    assert.match(reason, /^((allowed|denied|failed)\.[a-z_]+|revoked)$/);
    assert.doesNotMatch(meaning, /[.!]$/);
  }
});
