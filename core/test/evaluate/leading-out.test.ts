import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Attempt, Decision } from "../../src/decision.ts";
import { evaluate } from "../../src/evaluate.ts";
import type { Cluster } from "../../src/snapshot.ts";
import { answersOf, attemptOf, inWords, policyOf, table, to } from "../cases.ts";
import {
  ADDRESSES,
  ALIASES,
  address,
  lists,
  NAMES,
  PORTS,
  port,
  resolved,
  seen,
} from "../random.ts";
import { policyFrom } from "../random-policy.ts";

type Service = Cluster["leadingOut"][number];
/** `5432 → 8.8.8.1:5432, 8.8.8.2:5432` of one port. */
function portOf(text: string): Service["ports"][number] {
  const [at, list = ""] = text.split(" → ");
  const endpoints = list.split(", ").map((each) => {
    const [, where = "", number] = /^\[?(.*?)\]?:(\d+)$/.exec(each) ?? assert.fail(each);
    return { address: where, port: Number(number) };
  });
  return { port: Number(at), endpoints };
}

const service = (name: string, addresses: string[], ...ports: string[]): Service => ({
  ...{ namespace: "shop", name, addresses },
  ports: ports.map(portOf),
});

const [S, S6, MIXED, INNER, BOTH] = [
  ...(["10.96.7.7", "fd00:96::7", "10.96.7.8", "10.96.7.9", "10.96.7.10"] as const),
];
const [A, B, POD] = ["8.8.8.1", "8.8.8.2", "10.244.1.5"];
const cluster = {
  ranges: ["10.96.0.0/12", "10.244.0.0/16", "fd00:96::/112"],
  nodes: ["192.168.1.0/24"],
  leadingOut: [
    service("db", [S, S6], `5432 → ${A}:5432, ${B}:5432`, `443 → ${A}:8443`, `80 → ${A}:80`),
    service("mixed", [MIXED], `5432 → ${POD}:5432, ${A}:5432, ${B}:15432`),
    service("both", [BOTH], `443 → ${POD}:443, ${A}:8443`),
    service("inner", [INNER], "1 → 169.254.169.254:80", "2 → 10.0.0.9:2", `3 → ${S}:5432`),
  ],
};
const resolvedNames = {
  "api.test": [A],
  "moved.test": [B],
  "db.shop.svc.cluster.local": [S],
  "liar.test": [S],
};

table("a Service that leads out is refused as its endpoints are", { cluster }, resolvedNames, [
  [`${S}:5432`, "denied.no_rule", "though its address is of the cluster"],
  [`[${S6}]:5432`, "denied.no_rule"],
  [`${S}:81`, "denied.no_rule", "for it has no such port"],
  ["10.96.7.1:81", "allowed.cluster → 10.96.7.1", "for that is another Service"],
  [`${MIXED}:5432`, `allowed.cluster → ${POD}, on 5432`, "to the endpoint that is in the cluster"],
]);
table(
  "a rule for its endpoints permits it, and leads there",
  { rules: [to(`${A}/32 5432-9000 tcp`)], cluster },
  resolvedNames,
  [
    [`${S}:5432`, `allowed.rule → ${A}, on 5432`, "to the one that the rule gives"],
    [`[${S6}]:5432`, `allowed.rule → ${A}, on 5432`],
    [`${S}:443`, `allowed.rule → ${A}, on 8443`, "on the endpoint's port"],
    [`${S}:80`, "denied.no_rule"],
  ],
);
table(
  "a rule for its own address permits nothing, nor does one by its own names",
  {
    rules: [
      to("10.96.0.0/12 1-65535 tcp"),
      to("db.shop.svc.cluster.local,10.96.0.0/12 80 http"),
      to("db.shop.svc.cluster.local 5432 tcp"),
    ],
    cluster,
  },
  resolvedNames,
  [
    [`${S}:5432`, "denied.stale_address"],
    [`${S}:80 host db.shop.svc.cluster.local`, "denied.private_address"],
    [`${S}:81`, "denied.no_rule"],
  ],
);
table(
  "a rule by hosts is about the name outside, and leads to no other address of it",
  {
    rules: [to("api.test,moved.test 8443 tls"), to("api.test 80 http"), to("api.test 5432 tcp")],
    cluster,
  },
  resolvedNames,
  [
    [`${S}:443`, "needs_name"],
    [`${S}:443 sni api.test`, `allowed.rule → ${A}, on 8443`],
    [`${S}:443 sni moved.test`, "denied.stale_address", "the Service has no such endpoint"],
    [`${S}:443 sni db.shop.svc.cluster.local`, "denied.no_rule"],
    [`${S}:443 tls`, "denied.name_missing"],
    [`${S}:80 host api.test`, `allowed.rule → ${A}, on 80`],
    [`${S}:80 host db`, "denied.no_rule"],
    [`${S}:5432`, `allowed.rule → ${A}, on 5432`, "by its addresses, as any other"],
    [`${MIXED}:5432`, `allowed.cluster → ${POD}, on 5432`],
    [`${BOTH}:443`, "needs_name", "or only its pod would ever be dialled"],
    [`${BOTH}:443 sni api.test`, `allowed.cluster → ${POD}, on 443`],
  ],
);
table(
  "TLS is spoken for the app to an endpoint as to any destination",
  { rules: [to("api.test 8443 https")], cluster },
  resolvedNames,
  [[`${S}:443 host api.test`, `allowed.rule → ${A}, on 8443, as TLS`]],
);
table(
  "an endpoint in a special range is reached by a CIDR inside that, and by no wider one",
  { rules: [to("0.0.0.0/0 1-65535 tcp"), to("10.0.0.0/24 2 tcp")], cluster },
  resolvedNames,
  [
    [`${INNER}:1`, "denied.no_rule", "the metadata service is nobody's Service"],
    [`${INNER}:2`, "allowed.rule → 10.0.0.9, on 2"],
    [`${INNER}:3`, "denied.no_rule", "for one Service does not lead through another"],
  ],
);
table(
  "boundaries count at the endpoints, and a deny at the Service's own address and names too",
  {
    rules: [to("8.8.8.0/24 1-65535 tcp")],
    allow: [to(`${B}/32 5432 tcp`), to(`${A}/32 80 tcp`)],
    deny: [
      to(`${S6}/128 5432 tcp`),
      to("db.shop.svc.cluster.local 80 http"),
      to(`${B}/32 15432 tcp`),
    ],
    cluster,
  },
  resolvedNames,
  [
    [`${S}:5432`, `allowed.rule → ${B}, on 5432`, "to the one under the ceiling"],
    [`[${S6}]:5432`, "denied.boundary by guard"],
    [`${S}:443`, "denied.ceiling by guard"],
    [`${S}:80 host db.shop.svc.cluster.local`, "denied.boundary by guard"],
    [`${S}:80 host api.test`, `allowed.rule → ${A}, on 80`],
  ],
);
table(
  "by no name does one arrive at a Service that leads out",
  { rules: [to("liar.test,10.96.0.0/12 5432 tls")], cluster },
  resolvedNames,
  [["6.6.6.6:5432 sni liar.test", "denied.private_address"]],
);
table(
  "what the cluster itself is made of stays the cluster's",
  { cluster: { ...cluster, endpoints: [{ address: S, port: 5432 }] } },
  resolvedNames,
  [[`${S}:5432`, `allowed.cluster → ${S}`]],
);
table(
  "audit mode dials what the app dialled",
  { mode: "audit", rules: [to(`${A}/32 5432 tcp`)], cluster },
  resolvedNames,
  [
    [`${S}:5432`, `allowed.rule → ${S}`],
    [`${S}:443`, `allowed.audit → ${S}, would be denied.no_rule`],
  ],
);

test("one connection after the other begins with the next endpoint", () => {
  const policy = policyOf({ rules: [to("8.8.8.0/24 5432 tcp")], cluster });
  const dialled = [0, 1, 2].map((turn) =>
    inWords(evaluate(policy, { ...attemptOf(`${S}:5432`), turn })),
  );
  const [first, second] = [
    `allowed.rule → ${A}, ${B}, on 5432`,
    `allowed.rule → ${B}, ${A}, on 5432`,
  ];
  assert.deepEqual(dialled, [first, second, first]);
});

const endpoint = fc.record({ address, port });
const endpoints = fc.uniqueArray(endpoint, {
  minLength: 1,
  maxLength: 3,
  selector: (each) => `${each.address} ${each.port}`,
});
const CLUSTER_IP = "10.1.7.7";
const seed = 7_001;

function decide(policy: ReturnType<typeof policyFrom>, attempt: Attempt, names: Names): Decision {
  return evaluate(policy, { ...attempt, answers: answersOf(policy, names) });
}
type Names = Readonly<Record<string, readonly string[]>>;

test("a Service is permitted exactly where one of its endpoints is that the app could have dialled itself", () => {
  const counts = new Map<string, number>();
  fc.assert(
    fc.property(
      ...([lists, endpoints, port, seen, resolved, fc.nat(5)] as const),
      (random, leadsTo, at, said, names, turn) => {
        const leadingOut = [
          { ...service("out", [CLUSTER_IP]), ports: [{ port: at, endpoints: leadsTo }] },
        ];
        // Denied by the Service's own address is another matter.
        const deny = random.deny.filter(({ ports }) =>
          ports.every(({ port: first, endPort = first }) => at < first || at > endPort),
        );
        const plain = policyFrom({ ...random, deny });
        const leading = policyFrom({
          ...{ ...random, deny },
          cluster: { ...random.cluster, leadingOut },
        });
        const through = decide(leading, { address: CLUSTER_IP, port: at, seen: said, turn }, names);
        const direct = leadsTo.map((each) => ({
          ...each,
          decision: decide(plain, { ...each, seen: said }, names),
        }));
        const permitted = direct.filter(
          ({ address: own, decision }) =>
            decision.verdict === "allow" && decision.dial.includes(own),
        );
        assert.equal(through.verdict, permitted.length > 0 ? "allow" : "deny");
        counts.set(through.verdict, (counts.get(through.verdict) ?? 0) + 1);
        if (through.verdict !== "allow") return;
        assert.ok(through.dial.length > 0);
        for (const one of through.dial) {
          const its: Decision | undefined = permitted.find(
            (each) => each.address === one && each.port === through.port,
          )?.decision;
          assert.ok(its?.verdict === "allow", `${one}:${through.port}`);
          assert.deepEqual(
            [its.reason, its.match?.clause.rule, its.originate],
            [through.reason, through.match?.clause.rule, through.originate],
          );
        }
      },
    ),
    { seed, numRuns: 5_000 },
  );
  for (const [verdict, count] of counts) assert.ok(count >= 100, `${verdict}: ${count}`);
});

test("what is decided of it without a look is what any look would have shown", () => {
  const sayings = [
    ...[...NAMES, ...ALIASES].map((name) => ({ protocol: "tls" as const, name })),
    ...(["opaque", "silent", "http"] as const).map((protocol) => ({ protocol })),
  ];
  fc.assert(
    fc.property(lists, endpoints, port, resolved, (random, leadsTo, at, names) => {
      const leadingOut = [
        { ...service("out", [CLUSTER_IP]), ports: [{ port: at, endpoints: leadsTo }] },
      ];
      const policy = policyFrom({ ...random, cluster: { ...random.cluster, leadingOut } });
      const early = decide(policy, { address: CLUSTER_IP, port: at }, names);
      fc.pre(early.verdict === "allow" || early.verdict === "deny");
      for (const said of sayings) {
        const late = decide(policy, { address: CLUSTER_IP, port: at, seen: said }, names);
        if (late.verdict === "deny" && late.reason === "denied.boundary") continue;
        assert.equal(late.verdict, early.verdict, JSON.stringify(said));
        if (late.verdict !== "allow" || early.verdict !== "allow") continue;
        const without = { externalName: undefined };
        assert.deepEqual({ ...late, ...without }, { ...early, ...without }, JSON.stringify(said));
      }
    }),
    { seed, numRuns: 1_000 },
  );
});

test("a Service that leads out changes nothing for whoever does not dial it", () => {
  const leadingOut = [
    service("out", [CLUSTER_IP], ...PORTS.map((each) => `${each} → 9.9.9.9:${each}`)),
  ];
  assert.ok(!(ADDRESSES as readonly string[]).includes(CLUSTER_IP));
  fc.assert(
    fc.property(lists, address, port, seen, resolved, (random, dialled, at, said, names) => {
      const attempt = { address: dialled, port: at, seen: said };
      const leading = policyFrom({ ...random, cluster: { ...random.cluster, leadingOut } });
      assert.deepEqual(decide(leading, attempt, names), decide(policyFrom(random), attempt, names));
    }),
    { seed, numRuns: 3_000 },
  );
});
