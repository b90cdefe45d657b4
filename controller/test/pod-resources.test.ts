import assert from "node:assert/strict";
import { test } from "node:test";
import { eject } from "@sallyport/controller/admission/eject";
import { judgeFinalPod } from "@sallyport/controller/admission/final-pod";
import { addQuantities } from "@sallyport/controller/admission/quantity";
import { type Any, admit, admitted, optionsOf, podOf, REQUEST, seededDraw } from "./pod-support.ts";

const podWith = (resources: Any, spec: Any = {}) => podOf({ ...spec, resources });
const resourcesOf = (pod: Any) => pod.spec.resources;

/** The sidecar requests 10m and 64Mi, and may use 2 and 256Mi. */
for (const [what, resources, expected] of [
  ["nothing", undefined, undefined],
  ["null", null, null],
  ["null for the requests", { requests: null }, { requests: null }],
  ["requests", { requests: { cpu: "100m" } }, { requests: { cpu: "110m" } }],
  ["limits", { limits: { memory: "128Mi" } }, { limits: { memory: "384Mi" } }],
  [
    "both, and what the sidecar has none of",
    {
      requests: { "hugepages-2Mi": "2Mi", memory: "1Gi", cpu: "1" },
      limits: { cpu: "4", "hugepages-2Mi": "2Mi" },
      claims: [],
    },
    {
      requests: { "hugepages-2Mi": "2Mi", memory: "1088Mi", cpu: "1010m" },
      limits: { cpu: "6", "hugepages-2Mi": "2Mi" },
      claims: [],
    },
  ],
  ["nothing at all to be had", { requests: { cpu: "0" } }, { requests: { cpu: "10m" } }],
  ["numbers", { requests: { cpu: 0.5 } }, { requests: { cpu: "510m" } }],
] as const)
  for (const sidecar of ["native", "ordinary"] as const)
    test(`where a pod says ${what} for all its containers, the sidecar's share is added and taken off again, ${sidecar}`, () => {
      const pod = podWith(resources);
      const injected = admitted(pod, {}, { sidecar });
      assert.equal(JSON.stringify(resourcesOf(injected)), JSON.stringify(expected));
      assert.equal(JSON.stringify(eject(injected)), JSON.stringify(pod));
      const again = admit(injected, {}, { sidecar }, seededDraw(2));
      assert.deepEqual(again.allowed && again.patch, [], "admitted again it is as it was");
      for (const draw of [
        seededDraw(),
        { ...seededDraw(), sealKey: new TextEncoder().encode("x") },
      ])
        assert.ok(judgeFinalPod(injected, REQUEST, optionsOf({ sidecar }), draw).allowed);
    });

test("the share is what the pod's annotations say", () => {
  const annotations = { "sallyport.dev/proxy-cpu": "1", "sallyport.dev/proxy-cpu-limit": "3" };
  const resources = { requests: { cpu: "1" }, limits: { cpu: "1" } };
  const pod = podOf({ resources }, { annotations });
  assert.deepEqual(resourcesOf(admitted(pod)), { requests: { cpu: "2" }, limits: { cpu: "4" } });
});

test("an amount that another webhook has set since is the pod's own, and the share is added to that", () => {
  const injected = admitted(podWith({ requests: { cpu: "100m", memory: "1Gi" } })) as Any;
  injected.spec.resources.requests.cpu = "2";
  assert.deepEqual(resourcesOf(eject(injected)), { requests: { cpu: "2", memory: "1Gi" } });
  const again = admitted(injected);
  assert.deepEqual(resourcesOf(again), { requests: { cpu: "2010m", memory: "1088Mi" } });
  assert.deepEqual(resourcesOf(eject(again)), { requests: { cpu: "2", memory: "1Gi" } });
});

for (const [resources, message] of [
  [
    { requests: { cpu: "lots" } },
    "spec.resources.requests.cpu: lots: it is not a quantity: expected cores, for example 250m, 0.5 or 2",
  ],
  [
    { limits: { memory: "-1" } },
    "spec.resources.limits.memory: -1: it is not a quantity: expected bytes, for example 64Mi, 500M or 1Gi",
  ],
  [
    { limits: { memory: "8Ei" } },
    "spec.resources.limits.memory: 8Ei: it is more than the API server can hold",
  ],
] as const)
  test(`what nothing can be added to is refused: ${JSON.stringify(resources)}`, () => {
    const answer = admit(podWith(resources));
    assert.equal(answer.allowed ? "" : answer.message, `Sallyport refuses this pod: ${message}`);
  });

test("what cannot grow any more stays as it is", () => {
  const resources = { limits: { memory: "9223372036854775807" } };
  assert.deepEqual(resourcesOf(admitted(podWith(resources))), resources);
});

for (const [resource, one, other, sum] of [
  ["cpu", "0.5", "500m", "1"],
  ["cpu", "100n", "10m", "11m"],
  ["cpu", "1u", "0", "1m"],
  ["memory", "64Mi", "64Mi", "128Mi"],
  ["memory", "500M", "64Mi", "567108864"],
  ["memory", "1.5Gi", "512Mi", "2Gi"],
  ["memory", "100m", "64Mi", "67108865"],
  ["memory", "1e3", "1k", "2k"],
] as const)
  test(`${one} and ${other} of ${resource} are ${sum}`, () => {
    assert.equal(addQuantities(resource, one, other), sum);
  });
