import assert from "node:assert/strict";
import { test } from "node:test";
import { eject } from "@sallyport/controller/admission/eject";
import { type Any, admitted, containerOf, podOf } from "./pod-support.ts";

for (const sidecar of ["native", "ordinary"] as const)
  test(`what was added beside the sidecar later stays when it is taken out, ${sidecar}`, () => {
    const pod = admitted(podOf(), {}, { sidecar }) as Any;
    pod.metadata.annotations.later = "x";
    pod.spec.initContainers.push(containerOf({ name: "later" }));
    assert.deepEqual(
      eject(pod),
      podOf({ initContainers: [containerOf({ name: "later" })] }, { annotations: { later: "x" } }),
    );
  });

test("without a status our containers are taken out all the same, and lists are left", () => {
  const pod = podOf({ initContainers: [{ name: "sallyport-init" }, { name: "sallyport-proxy" }] });
  assert.deepEqual(eject(pod), podOf({ initContainers: [] }));
});

test("a pod that bears none of our names is given back itself", () => {
  for (const pod of [podOf(), {}, { spec: null }, { metadata: [], spec: { containers: "x" } }])
    assert.equal(eject(pod), pod);
});
