import assert from "node:assert/strict";
import { test } from "node:test";
import { type Any, admit, podOf } from "./pod-support.ts";

const warningsFor = (podSecurity: string | undefined, pod: Any = podOf()) =>
  admit(pod, { podSecurity }).warnings.join("\n");

for (const [level, says] of [
  [
    "baseline",
    /^Pod Security "baseline".* refuses sallyport-init, which needs NET_ADMIN and NET_RAW: label/,
  ],
  ["restricted", /^Pod Security "restricted".* NET_RAW, and root: .*enforce=privileged/],
  ["privileged", /^$/],
  ["constructor", /^$/],
  [undefined, /^$/],
] as const)
  test(`the level that a namespace enforces, ${level}: ${says.source === "^$" ? "nothing is said" : "what it will refuse is said"}`, () => {
    assert.match(warningsFor(level), says);
  });

test("a pod that gets no sidecar is not warned", () => {
  const out = podOf({}, { annotations: { "sallyport.dev/inject": "false" } });
  assert.equal(warningsFor("restricted", out), "");
});

test("the warning is whole: the API server cuts at 256 characters", () => {
  assert.match(warningsFor("restricted"), /exempted$/);
});
