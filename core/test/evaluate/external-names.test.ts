import assert from "node:assert/strict";
import { test } from "node:test";
import { externalNamesFor } from "../../src/external-names.ts";
import { table, to } from "../cases.ts";

const [A, B] = ["8.8.8.1", "8.8.8.2"];
const service = (name: string, externalName: string, namespace = "shop") => ({
  namespace,
  name,
  externalName,
});
const cluster = {
  externalNames: [
    service("httpbin", "httpbin.test"),
    service("other", "b.test", "blog"),
    service("db", "db.test"),
  ],
};
const resolved = { "httpbin.test": [A], "b.test": [B], "db.test": [A], "httpbin.shop": [B] };

test("a Service has four names in its own namespace, and three in any other", () => {
  const aliases = externalNamesFor(
    {
      domain: "Corp.Local.",
      externalNames: [service("a", "A.Test."), service("b", "b.test", "blog")],
    },
    "shop",
  );
  assert.deepEqual(Object.fromEntries(aliases), {
    ...{ a: "a.test", "a.shop": "a.test", "a.shop.svc": "a.test" },
    "a.shop.svc.corp.local": "a.test",
    ...{ "b.blog": "b.test", "b.blog.svc": "b.test", "b.blog.svc.corp.local": "b.test" },
  });
});

for (const target of [
  ...["db.shop.svc.cluster.local", "db.shop.svc.CLUSTER.local.", "cluster.local"],
  ...["192.168.1.1", "no name", "-"],
])
  test(`${target} is nothing that a Service could stand for`, () => {
    const { size } = externalNamesFor(
      { domain: "cluster.local", externalNames: [service("a", target)] },
      "shop",
    );
    assert.equal(size, 0);
  });

table(
  "who asks for a Service is judged by what it stands for",
  { rules: [to("httpbin.test 80 http"), to("httpbin.test,b.test 443 https")], cluster },
  resolved,
  [
    [`${A}:80 host httpbin`, `allowed.rule → ${A}, for httpbin.test`],
    [`${A}:80 host httpbin.shop`, `allowed.rule → ${A}, for httpbin.test`],
    [`${A}:80 host httpbin.shop.svc`, `allowed.rule → ${A}, for httpbin.test`],
    [`${A}:80 host httpbin.shop.svc.cluster.local`, `allowed.rule → ${A}, for httpbin.test`],
    [`${A}:443 host httpbin`, `allowed.rule → ${A}, as TLS, for httpbin.test`],
    [`${A}:443 sni httpbin`, `allowed.rule → ${A}, for httpbin.test`],
    [`6.6.6.6:80 host httpbin`, `allowed.rule → ${A}, for httpbin.test`, "whatever it dialled"],
    [`${B}:443 host other.blog`, `allowed.rule → ${B}, as TLS, for b.test`],
    [`${B}:443 host other`, "denied.no_rule", "of another namespace it is no short name"],
    [`${A}:80 host httpbin.test`, `allowed.rule → ${A}`],
  ],
);
table(
  "a Service's own name is permitted by no rule",
  { rules: [to("httpbin.shop,httpbin 80 http")], cluster },
  resolved,
  [
    [`${A}:80 host httpbin`, "denied.no_rule"],
    [`${A}:80 host httpbin.shop`, "denied.no_rule"],
    [`${A}:80 host httpbin.blog`, "denied.no_rule", "nobody knows that one"],
  ],
);
table(
  "it is denied by what it stands for, and by its own name",
  {
    rules: [to("*.test 1-9 http")],
    deny: [to("b.test 1 tls"), to("httpbin.shop 2 tls"), to("httpbin,8.8.8.0/24 3 tls")],
    cluster,
  },
  resolved,
  [
    [`${B}:1 host other.blog`, "denied.boundary by guard"],
    [`${A}:2 host httpbin.shop`, "denied.boundary by guard"],
    [`${A}:2 host httpbin.test`, `allowed.rule → ${A}`],
    ["6.6.6.6:3 host httpbin", "denied.boundary by guard", "where it would be dialled"],
  ],
);
table(
  "what it stands for is what is resolved",
  { rules: [to("httpbin.test 80 http")], cluster },
  {},
  [[`${A}:80 host httpbin`, "needs_addresses httpbin.test"]],
);
table(
  "what is allowed by its address is told what its name stands for, too",
  { rules: [to("8.8.8.0/24 80 tcp")], cluster },
  resolved,
  [
    [`${A}:80 host httpbin`, `allowed.rule → ${A}, for httpbin.test`],
    [`${A}:80`, `allowed.rule → ${A}`],
  ],
);
table("so is what only audit mode lets pass", { mode: "audit", cluster }, resolved, [
  [`${A}:80 host httpbin`, `allowed.audit → ${A}, for httpbin.test, would be denied.no_rule`],
]);
table(
  "audit mode speaks TLS for the app, to where it dialled",
  { mode: "audit", rules: [to("httpbin.test 443 https")], cluster },
  resolved,
  [
    [`${A}:443 host httpbin`, `allowed.rule → ${A}, as TLS, for httpbin.test`],
    [`${B}:443 host httpbin.test`, `allowed.rule → ${B}, as TLS`],
  ],
);
