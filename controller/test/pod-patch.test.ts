import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "@sallyport/controller/admission/admission";
import { diff } from "@sallyport/controller/admission/diff";
import fc from "fast-check";
import { admit, containerOf, patched, podOf } from "./pod-support.ts";

const pathsOf = (pod: JsonObject) => {
  const answer = admit(pod);
  assert.ok(answer.allowed);
  return answer.patch.map(({ op, path }) => `${op} ${path}`);
};

for (const [what, pod, operations] of [
  ["nothing there", { spec: { containers: [] } }, ["add /spec/initContainers", "add /metadata"]],
  [
    "null",
    { metadata: null, spec: { initContainers: null, containers: [] } },
    ["replace /metadata", "replace /spec/initContainers"],
  ],
  [
    "annotations null",
    { metadata: { annotations: null }, spec: { initContainers: [], containers: [] } },
    ["replace /metadata/annotations", "add /spec/initContainers/0", "add /spec/initContainers/1"],
  ],
  [
    "all there",
    podOf({ initContainers: [containerOf({ name: "a" })] }, { annotations: { "a/b~c": "x" } }),
    [
      "add /metadata/annotations/sallyport.dev~1status",
      "add /spec/initContainers/0",
      "add /spec/initContainers/1",
    ],
  ],
] as const)
  test(`the patch says as little as it can: ${what}`, () => {
    assert.deepEqual(pathsOf(pod as JsonObject).sort(), [...operations].sort());
  });

test("one stale container in our name is replaced where it stands, and nothing else is touched", () => {
  const answer = admit(podOf({ initContainers: [containerOf({ name: "a" })] }));
  const pod = patched(
    podOf({ initContainers: [containerOf({ name: "a" })] }),
    answer.allowed ? answer.patch : [],
  );
  const stale = structuredClone(pod) as JsonObject & {
    spec: { initContainers: { image: string }[] };
  };
  (stale.spec.initContainers[1] ?? { image: "" }).image = "old";
  assert.deepEqual(pathsOf(stale), ["replace /spec/initContainers/1/image"]);
});

/** Not `__proto__` and the like, which the other library will not follow. */
const key = fc.constantFrom("a", "b", "a/b", "~", "~1", "", "0", "-");
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(null, 0, 1, "", "x", true),
    fc.array(tie("value"), { maxLength: 5 }),
    tie("object"),
  ),
  object: fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
})).object as fc.Arbitrary<JsonObject>;

test("of any two objects the difference turns one into the other, by another library's hand", () => {
  fc.assert(
    fc.property(json, json, (before, after) => {
      assert.deepEqual(patched(before, diff(before, after)), after);
    }),
    { seed: 20_260_104, numRuns: 2_000 },
  );
});

test("equal objects have no difference, whatever the order of their keys", () => {
  fc.assert(
    fc.property(json, (object) => {
      const reversed = Object.fromEntries(Object.entries(object).reverse());
      assert.deepEqual(diff(object, reversed), []);
    }),
    { seed: 20_260_105, numRuns: 500 },
  );
});
