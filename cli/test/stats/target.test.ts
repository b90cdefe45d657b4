import assert from "node:assert/strict";
import { test } from "node:test";
import { BadInput } from "@sallyport/cli/policy/io";
import { formatSelector, parseTarget } from "@sallyport/cli/stats/target";

const spelt = (words: readonly string[]) => {
  const { kind, name } = parseTarget(words);
  return `${typeof kind === "string" ? kind : kind.names[0]} ${name}`;
};

for (const [words, expected] of [
  [["web-7d4-x"], "any web-7d4-x"],
  [["pod/web"], "pod web"],
  [["po", "web"], "pod web"],
  [["deployment/web"], "deployment web"],
  [["deploy", "web"], "deployment web"],
  [["Deployments/web"], "deployment web"],
  [["sts/db"], "statefulset db"],
  [["ds/agent"], "daemonset agent"],
  [["rs/web-7d4"], "replicaset web-7d4"],
  [["job/nightly"], "job nightly"],
] as const)
  test(`${words.join(" ")} is ${expected}`, () => {
    assert.equal(spelt(words), expected);
  });

for (const [words, said] of [
  [[], /^whose\?/],
  [["web", "api", "db"], /one at a time/],
  [["pod/web", "api"], /one at a time/],
  [["service/web"], /^service: expected pod, deployment/],
  [["pod/"], /expected KIND\/NAME/],
] as const)
  test(`${words.join(" ") || "nothing"} is refused`, () => {
    assert.throws(
      () => parseTarget(words),
      (error) => error instanceof BadInput && said.test(error.message),
    );
  });

test("a selector is written as the API takes it", () => {
  const matchExpressions = [
    { key: "tier", operator: "In", values: ["a", "b"] },
    { key: "tier", operator: "NotIn", values: ["c"] },
    { key: "x", operator: "Exists" },
    { key: "y", operator: "DoesNotExist" },
  ];
  assert.equal(
    formatSelector({ matchLabels: { app: "web" }, matchExpressions }),
    "app=web,tier in (a,b),tier notin (c),x,!y",
  );
});
