import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "@sallyport/controller/admission/admission";
import { judgeImageChange } from "@sallyport/controller/admission/image-change";
import { type Any, admitted, containersNamed, optionsOf, podOf } from "./pod-support.ts";

for (const sidecar of ["native", "ordinary"] as const) {
  const old: JsonObject = admitted(podOf(), {}, { sidecar });
  const changed = (name: string, image: unknown) => {
    const pod = structuredClone(old) as Any;
    for (const container of containersNamed(pod, name)) container.image = image;
    return pod as JsonObject;
  };
  const images = { proxy: "sallyport/proxy:9", init: "sallyport/init:9" };
  const judge = (pod: JsonObject, before = old) =>
    judgeImageChange(pod, before, optionsOf({ sidecar, images }));

  for (const [name, image, allowed] of [
    ["sallyport-proxy", "mine", false],
    ["sallyport-proxy", undefined, false],
    ["sallyport-init", "mine", false],
    ["sallyport-init", images.proxy, false],
    ["sallyport-proxy", images.proxy, true],
    ["sallyport-init", images.init, true],
    ["app", "mine", true],
  ] as const)
    test(`the image of ${name} may ${allowed ? "" : "not "}become ${image}, ${sidecar}`, () => {
      const answer = judge(changed(name, image));
      assert.equal(answer.allowed, allowed);
      if (!answer.allowed) assert.match(answer.message, new RegExp(`the image of ${name}: `));
    });

  test(`what was not ours before is nobody's business, ${sidecar}`, () => {
    assert.ok(judge(changed("sallyport-proxy", "mine"), podOf()).allowed);
    assert.ok(judge(old).allowed);
    assert.ok(judge({}, {}).allowed);
  });
}
