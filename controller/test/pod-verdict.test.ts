import assert from "node:assert/strict";
import { test } from "node:test";
import { type Any, admit, podOf } from "./pod-support.ts";

const INJECT = "sallyport.dev/inject";

for (const [injection, wish, expected] of [
  ["enabled", undefined, "left alone"],
  ["enabled", "false", "left alone"],
  ["enabled", "true", "injected"],
  ["all", undefined, "injected"],
  ["all", "false", "left alone"],
  ["all", "true", "injected"],
] as const)
  test(`namespace ${injection}, pod ${wish}: ${expected}`, () => {
    const answer = admit(podOf({}, wish && { annotations: { [INJECT]: wish } }), { injection });
    assert.ok(answer.allowed);
    assert.deepEqual(answer.warnings, []);
    assert.equal(answer.patch.length > 0 ? "injected" : "left alone", expected);
  });

for (const [what, spec, metadata, reason] of [
  ["hostNetwork", { hostNetwork: true }, {}, /hostNetwork/],
  ["spec.os.name windows", { os: { name: "windows" } }, {}, /Windows/],
  ["a Windows node selector", { nodeSelector: { "kubernetes.io/os": "windows" } }, {}, /Windows/],
  [
    "the old Windows node selector",
    { nodeSelector: { "beta.kubernetes.io/os": "windows" } },
    {},
    /Windows/,
  ],
  [
    "the mirror of a static pod",
    {},
    { annotations: { "kubernetes.io/config.mirror": "abc" } },
    /static pod/,
  ],
] as const) {
  test(`${what} is left alone, and whoever asked for a sidecar hears why`, () => {
    const asked = podOf(spec, {
      ...metadata,
      annotations: { ...(metadata as Any).annotations, [INJECT]: "true" },
    });
    for (const answer of [admit(podOf(spec, metadata)), admit(asked, { injection: "enabled" })]) {
      assert.ok(answer.allowed);
      assert.deepEqual(answer.patch, []);
      assert.equal(answer.warnings.length, 1);
      assert.match(answer.warnings[0] ?? "", reason);
    }
  });

  test(`${what} is left alone without a word where nobody asked`, () => {
    const answer = admit(podOf(spec, metadata), { injection: "enabled" });
    assert.deepEqual(answer, { allowed: true, patch: [], warnings: [] });
  });
}

for (const wish of ["", "True", "yes", " true"])
  test(`${INJECT}: "${wish}" is refused with what is expected, wherever it stands`, () => {
    const pod = podOf({ hostNetwork: true }, { annotations: { [INJECT]: wish } });
    for (const injection of ["enabled", "all"] as const) {
      const answer = admit(pod, { injection });
      assert.ok(!answer.allowed);
      assert.equal(
        answer.message,
        `Sallyport refuses this pod: annotation ${INJECT}: "${wish}": expected "true" or "false"`,
      );
    }
  });

test("a wish that is misspelt or a label is pointed out even where nothing is injected", () => {
  const misspelt = podOf({}, { annotations: { "sallyport.dev/injct": "true" } });
  assert.deepEqual(admit(misspelt, { injection: "enabled" }).warnings, [
    "annotation sallyport.dev/injct means nothing; did you mean sallyport.dev/inject?",
  ]);
  const label = podOf({}, { labels: { [INJECT]: "true" } });
  assert.deepEqual(admit(label, { injection: "enabled" }).warnings, [
    `label ${INJECT} means nothing: it is read as an annotation`,
  ]);
});
