import assert from "node:assert/strict";
import { test } from "node:test";
import { Policy } from "@sallyport/core/policy";
import { PolicySource, snapshotOf } from "@sallyport/core/policy-source";
import { explainRecord, formatExplanation } from "../src/admin/explanation.ts";
import { record } from "./support/record.ts";

const policyOf = (hosts: readonly string[]) =>
  new Policy(
    snapshotOf(
      PolicySource.parse({
        mode: "enforce",
        pod: { namespace: "shop" },
        resolvers: ["10.96.0.10"],
        rules: [
          {
            apiVersion: "sallyport.dev/v1alpha1",
            kind: "EgressRule",
            metadata: { name: "api" },
            spec: { to: [{ hosts, ports: [{ port: 443, protocol: "tls" }] }] },
          },
        ],
      }),
    ),
  );

const {
  rule: _,
  matched: __,
  ...refused
} = record({
  verdict: "deny",
  reason: "denied.no_rule",
  protocol: "tls",
  name: "www.example.org",
  name_source: "sni",
  original_address: "93.184.216.34",
  resolved: ["93.184.216.34"],
});

test("a refusal on record is put into words, with the nearest rule and the one that would permit it", () => {
  const explained = explainRecord(policyOf(["*.example.com"]), refused);
  assert.ok(explained);
  assert.equal(explained.permitted_now, undefined);
  const text = formatExplanation(explained);
  assert.match(
    text,
    /^www\.example\.org at 93\.184\.216\.34:443 was refused: no rule permits it$/m,
  );
  assert.match(text, /^kind: EgressRule$/m);
  assert.match(text, /hosts: \["www\.example\.org"\]/);
});

test("what a newer policy permits is said to be permitted", () => {
  const explained = explainRecord(policyOf(["www.example.org"]), refused);
  assert.equal(explained?.permitted_now, true);
  assert.ok(explained && formatExplanation(explained).includes("in force now permits it"));
});

test("audit mode's refusals are explained as well, and what was permitted needs no words", () => {
  const policy = policyOf(["*.example.com"]);
  const audited = { ...refused, verdict: "allow", reason: "allowed.audit" } as const;
  assert.equal(
    explainRecord(policy, { ...audited, would_be: "denied.no_rule" })?.reason,
    "denied.no_rule",
  );
  assert.equal(explainRecord(policy, record()), undefined);
  assert.equal(explainRecord(policy, record({ reason: "failed.connect_refused" })), undefined);
});

test("a refusal of a Service that leads out says where it led, and which rule would permit that", () => {
  const led = record({
    ...{ verdict: "deny", reason: "denied.no_rule", rule: undefined, matched: undefined },
    ...{ original_address: "10.96.7.7", original_port: 5432, protocol: "opaque" },
    ...{ service: "shop/db", service_endpoints: ["93.184.216.34:15432"] },
  } as never);
  const explained = explainRecord(policyOf(["www.example.org"]), led);
  assert.match(
    explained?.message ?? "",
    /^10\.96\.7\.7:5432 \(Service shop\/db, which leads outside the cluster to 93\.184\.216\.34:15432\) was refused/,
  );
  assert.match(
    explained?.manifest ?? "",
    /cidrs: \["93\.184\.216\.34\/32"\]\n +ports: \[\{ port: 15432/,
  );
});
