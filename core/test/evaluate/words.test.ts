import assert from "node:assert/strict";
import { test } from "node:test";
import { restsOnWords } from "../../src/evaluate.ts";
import { answersOf, attemptOf, type Lists, policyOf, to } from "../cases.ts";

const A = "8.8.8.1";
const resolved = { "a.test": [A], "db.test": [A] };

for (const [title, lists, attempt, expected] of [
  ["a name decides", { rules: [to("a.test 80 http")] }, "host a.test", true],
  ["a protocol decides", { rules: [to("8.8.8.0/24 80 http")] }, "host a.test", true],
  ["the address decides", { rules: [to("8.8.8.0/24 80 tcp")] }, "host a.test", false],
  ["the address of a name decides", { rules: [to("db.test 80 tcp")] }, "host a.test", false],
  ["the cluster's own", { cluster: { ranges: ["8.8.8.0/24"] } }, "host a.test", false],
  [
    "a boundary denies names where the address is permitted",
    { rules: [to("8.8.8.0/24 80 tcp")], deny: [to("evil.test 80 http")] },
    "host a.test",
    true,
  ],
  [
    "TLS is spoken for the app, where a range says so",
    { rules: [to("8.8.8.0/24 80 https")] },
    "host a.test",
    true,
  ],
  [
    "the address decides before TLS could be spoken",
    { rules: [to("8.8.8.1/32 80 https"), to("8.8.0.0/16 80 tcp")] },
    "host a.test",
    false,
  ],
  ["audit mode watches", { mode: "audit", rules: [to("a.test 80 http")] }, "host a.test", false],
  ["audit mode lets it pass", { mode: "audit" }, "host a.test", false],
  [
    "TLS is spoken for the app, in audit mode too",
    { mode: "audit", rules: [to("a.test 80 https")] },
    "host a.test",
    true,
  ],
] satisfies readonly (readonly [string, Lists, string, boolean])[])
  test(`the verdict ${expected ? "rests" : "does not rest"} on words: ${title}`, () => {
    const policy = policyOf(lists);
    const answers = answersOf(policy, resolved);
    assert.equal(restsOnWords(policy, attemptOf(`${A}:80 ${attempt}`, answers)), expected);
  });
