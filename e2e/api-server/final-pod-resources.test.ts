import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { V1Pod, V1ResourceRequirements } from "@kubernetes/client-node";
import { lackingBed, startWebhookBed, type WebhookBed } from "./webhook-bed.ts";

const skip = lackingBed;

const beds = {} as Record<"native" | "ordinary", WebhookBed>;
before(async () => {
  if (skip) return;
  for (const sidecar of ["native", "ordinary"] as const)
    beds[sidecar] = await startWebhookBed({ injection: { sidecar } });
});
after(async () => {
  for (const bed of Object.values(beds)) await bed[Symbol.asyncDispose]();
});

const podWith = (resources: V1ResourceRequirements, own?: V1ResourceRequirements): V1Pod => ({
  metadata: { generateName: "web-" },
  spec: {
    resources,
    containers: [
      {
        ...{ name: "app", image: "registry.example/web:1" },
        securityContext: { runAsNonRoot: true },
        ...(own && { resources: own }),
      },
    ],
  },
});

/** The sidecar requests 10m and 64Mi, and may use 2 and 256Mi. */
for (const [what, pod, expected] of [
  [
    "requests that its containers use up",
    podWith(
      { requests: { cpu: "1", memory: "1Gi" } },
      { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "2" } },
    ),
    { requests: { cpu: "1010m", memory: "1088Mi" } },
  ],
  [
    "less than the sidecar has",
    podWith({
      requests: { cpu: "1m", memory: "1Mi" },
      limits: { cpu: "5m", memory: "5Mi" },
    }),
    {
      requests: { cpu: "11m", memory: "65Mi" },
      limits: { cpu: "2005m", memory: "261Mi" },
    },
  ],
  [
    "limits alone, which the API server takes for requests",
    podWith({ limits: { cpu: "1", memory: "1Gi" } }),
    {
      requests: { cpu: "1010m", memory: "1088Mi" },
      limits: { cpu: "3", memory: "1280Mi" },
    },
  ],
] as const)
  for (const sidecar of ["native", "ordinary"] as const)
    test(`a pod that has ${what}, for all its containers together, is stored with the sidecar's share added once, ${sidecar}`, {
      skip,
    }, async () => {
      const { core, namespace: namespaceFor } = beds[sidecar];
      const namespace = await namespaceFor("all");
      const stored = await core.createNamespacedPod({ namespace, body: pod });
      assert.deepEqual(JSON.parse(JSON.stringify(stored.spec?.resources)), expected);
      const { annotations } = stored.metadata ?? {};
      const again = await core.createNamespacedPod({
        namespace,
        body: {
          ...{ metadata: { generateName: "again-", ...(annotations && { annotations }) } },
          ...(stored.spec && { spec: stored.spec }),
        },
      });
      assert.deepEqual(again.spec?.resources, stored.spec?.resources);
    });
