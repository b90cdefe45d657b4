import assert from "node:assert/strict";
import { test } from "node:test";
import { whySilent } from "@sallyport/cli/stats/sidecar-state";
import type { JsonObject } from "@sallyport/controller/admission/admission";

const namespace = (injection?: string) => ({
  metadata: {
    name: "shop",
    labels: { ...(injection && { "sallyport.dev/injection": injection }) },
  },
});
const metadata = { name: "web", namespace: "shop", creationTimestamp: "2026-01-01T00:00:00Z" };
const bare = { metadata, spec: { containers: [{ name: "app" }] } };
const withSidecar = (state: JsonObject, phase = "Running") => ({
  metadata,
  spec: { containers: [{ name: "app" }], initContainers: [{ name: "sallyport-proxy" }] },
  status: { phase, initContainerStatuses: [{ name: "sallyport-proxy", state }] },
});

for (const [what, pod, where, expected] of [
  ["one that runs", withSidecar({ running: {} }), namespace("all"), undefined],
  [
    "one whose image cannot be pulled",
    withSidecar({ waiting: { reason: "ImagePullBackOff" } }, "Pending"),
    namespace("all"),
    /does not run yet, or no more \(ImagePullBackOff\): kubectl describe pod web/,
  ],
  [
    "one that has crashed",
    withSidecar({ terminated: { reason: "Error" } }),
    namespace("all"),
    /\(Error\)/,
  ],
  ["one of a pod that has ended", withSidecar({}, "Succeeded"), namespace("all"), /has ended/],
  ["none: the namespace has no label", bare, namespace(), /kubectl label namespace shop/],
  [
    "none: the pod did not opt in",
    bare,
    namespace("enabled"),
    /does not say sallyport\.dev\/inject/,
  ],
  [
    "none: and nobody knows what was first",
    bare,
    namespace("all"),
    /does not say what was there first/,
  ],
  ["none: the namespace may not be read", bare, undefined, /may not be read/],
] as const)
  test(`a sidecar is asked, or it is said why not: ${what}`, () => {
    const said = whySilent(pod, where);
    if (expected === undefined) assert.equal(said, undefined);
    else assert.match(said ?? "", expected);
  });
