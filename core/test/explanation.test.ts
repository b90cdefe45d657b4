import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { type Explanation, explanationJson, formatExplanation } from "../src/explanation.ts";
import { API_VERSION, EgressRule } from "../src/rules.ts";
import { to } from "./cases.ts";

const egressRule = EgressRule.parse({
  apiVersion: API_VERSION,
  kind: "EgressRule",
  metadata: { name: "allow-a-test-443", namespace: "shop" },
  spec: { to: [to("a.test 443 https")] },
});
const full: Explanation = {
  reason: "denied.no_rule",
  message: "httpbin, which stands for a.test, at 8.8.8.1:443 was refused: no rule permits it",
  destination: "8.8.8.1:443",
  name: "httpbin",
  externalName: "a.test",
  nearest: { rule: "shop/web", entry: 1, why: "it permits a.test on 80 (http), not on 443" },
  egressRule,
  advice: "ask",
};

test("an explanation for people is a few lines, and the rule last, so that it can be cut off and applied", () => {
  assert.equal(
    formatExplanation(full),
    `sallyport: denied.no_rule

httpbin, which stands for a.test, at 8.8.8.1:443 was refused: no rule permits it
nearest rule: shop/web spec.to[1]: it permits a.test on 80 (http), not on 443
what to do: ask

The rule to add:

apiVersion: sallyport.dev/v1alpha1
kind: EgressRule
metadata: { name: allow-a-test-443, namespace: shop }
spec:
  to:
    - hosts: ["a.test"]
      ports: [{ port: 443, protocol: https }]
`,
  );
  const [, rule = ""] = formatExplanation(full).split("The rule to add:\n");
  assert.deepEqual(EgressRule.parse(parse(rule)), egressRule);
});

test("what is not known is left out", () => {
  const { reason, message, destination } = full;
  assert.equal(
    formatExplanation({ reason, message, destination }),
    `sallyport: denied.no_rule\n\n${message}\n`,
  );
  assert.deepEqual(JSON.parse(explanationJson({ reason, message, destination })), {
    reason,
    message,
    destination,
  });
});

test("an explanation for programs has every field, named as in the records", () => {
  const { externalName: external_name, egressRule: egress_rule, ...rest } = full;
  const text = explanationJson(full);
  assert.deepEqual(JSON.parse(text), { ...rest, external_name, egress_rule });
  assert.ok(text.endsWith("}\n"));
});
