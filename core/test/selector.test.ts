import assert from "node:assert/strict";
import { test } from "node:test";
import { LabelSelector, selects } from "../src/selector.ts";

const labels = { app: "web", tier: "front", empty: "" };

for (const [selector, selected, why] of [
  [undefined, true, "without a selector everything"],
  [{}, true, "without a requirement everything"],
  [{ matchLabels: { app: "web" } }, true],
  [{ matchLabels: { app: "web", tier: "back" } }, false, "every label"],
  [{ matchLabels: { absent: "" } }, false, "an absent label is not an empty one"],
  [{ matchLabels: { empty: "" } }, true],
  [{ matchLabels: { constructor: "x" } }, false, "what every object has is no label"],
  [{ matchExpressions: [{ key: "constructor", operator: "Exists" }] }, false],
  [{ matchExpressions: [{ key: "toString", operator: "DoesNotExist" }] }, true],
  [{ matchExpressions: [{ key: "app", operator: "In", values: ["api", "web"] }] }, true],
  [{ matchExpressions: [{ key: "app", operator: "In", values: ["api"] }] }, false],
  [{ matchExpressions: [{ key: "absent", operator: "In", values: ["api"] }] }, false],
  [{ matchExpressions: [{ key: "app", operator: "NotIn", values: ["web"] }] }, false],
  [{ matchExpressions: [{ key: "app", operator: "NotIn", values: ["api"] }] }, true],
  [{ matchExpressions: [{ key: "absent", operator: "NotIn", values: ["api"] }] }, true],
  [{ matchExpressions: [{ key: "empty", operator: "Exists" }] }, true],
  [{ matchExpressions: [{ key: "absent", operator: "Exists" }] }, false],
  [{ matchExpressions: [{ key: "app", operator: "DoesNotExist" }] }, false],
  [
    {
      matchLabels: { app: "web" },
      matchExpressions: [{ key: "tier", operator: "In", values: ["back"] }],
    },
    false,
    "labels and expressions both",
  ],
] as const)
  test(`${JSON.stringify(selector)} ${selected ? "selects" : "passes by"}${why ? `: ${why}` : ""}`, () =>
    assert.equal(selects(selector && LabelSelector.parse(selector), labels), selected));

test("a label called __proto__ is refused, never overlooked: without it a selector would select everything", () => {
  const selector = JSON.parse('{"matchLabels": {"__proto__": "x"}}');
  const { error } = LabelSelector.safeParse(selector);
  assert.match(String(error?.issues[0]?.message), /"__proto__" is no label/);
});

for (const [expression, message] of [
  [{ key: "app", operator: "In" }, /In needs at least one value/],
  [{ key: "app", operator: "NotIn", values: [] }, /NotIn needs at least one value/],
  [{ key: "app", operator: "Exists", values: ["x"] }, /Exists takes no values: remove them/],
] as const)
  test(`${JSON.stringify(expression)} is refused`, () => {
    const { error } = LabelSelector.safeParse({ matchExpressions: [expression] });
    assert.match(String(error?.issues[0]?.message), message);
  });
