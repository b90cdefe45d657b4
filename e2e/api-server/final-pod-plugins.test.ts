import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ApiException, type V1Pod } from "@kubernetes/client-node";
import { type OwnApiServer, startApiServer } from "../cluster/api-server.ts";
import { lackingOwnBed, startWebhookBed, type WebhookBed } from "./webhook-bed.ts";

const skip = lackingOwnBed;

/** Admission plugins inside the API server that change every container they see, ours too. */
let server: OwnApiServer;
before(async () => {
  if (!skip)
    server = await startApiServer({
      flags: ["--enable-admission-plugins=NodeRestriction,AlwaysPullImages"],
    });
});
after(() => server?.stop());

const POD: V1Pod = {
  metadata: { generateName: "web-" },
  spec: {
    containers: [
      {
        ...{ name: "app", image: "registry.example/web:1" },
        securityContext: { runAsNonRoot: true },
        resources: { limits: { cpu: "1", memory: "1Gi" } },
      },
    ],
  },
};
const ours = ({ spec }: V1Pod) => spec?.initContainers ?? [];

async function limitRange(bed: WebhookBed, namespace: string, limit: object): Promise<void> {
  await bed.core.createNamespacedLimitRange({
    namespace,
    body: { metadata: { name: "range" }, spec: { limits: [{ type: "Container", ...limit }] } },
  });
}

/** A LimitRange is seen by the API server a moment after it was made. */
async function createUntil(
  bed: WebhookBed,
  namespace: string,
  done: (outcome: V1Pod | string) => boolean,
): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const outcome = await bed.core
      .createNamespacedPod({ namespace, body: POD })
      .catch((error: unknown) => {
        assert.ok(error instanceof ApiException, String(error));
        return String(JSON.parse(error.body).message);
      });
    if (done(outcome)) return;
    assert.ok(performance.now() < deadline, JSON.stringify(outcome, null, 1));
  }
}

for (const sidecar of ["native", "ordinary"] as const)
  test(`AlwaysPullImages has its way with the images of the sidecar, ${sidecar}`, {
    skip,
  }, async () => {
    await using bed = await startWebhookBed({ server, injection: { sidecar } });
    const namespace = await bed.namespace("all");
    const { spec } = await bed.core.createNamespacedPod({ namespace, body: POD });
    const policies = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(
      ({ imagePullPolicy }) => imagePullPolicy,
    );
    assert.deepEqual(policies, ["Always", "Always", "Always"]);
  });

test("what a LimitRange gives every container of ephemeral storage the sidecar has, too, and of CPU and memory its own", {
  skip,
}, async () => {
  await using bed = await startWebhookBed({ server });
  const namespace = await bed.namespace("all");
  await limitRange(bed, namespace, {
    _default: { "ephemeral-storage": "1Gi", cpu: "3", memory: "3Gi" },
    min: { "ephemeral-storage": "1Mi" },
  });
  await createUntil(bed, namespace, (pod) => {
    if (typeof pod === "string") assert.fail(pod);
    if (!ours(pod)[0]?.resources?.limits?.["ephemeral-storage"]) return false;
    for (const { resources } of ours(pod))
      assert.deepEqual(
        { ...resources },
        {
          limits: { cpu: "2", memory: "256Mi", "ephemeral-storage": "1Gi" },
          requests: { cpu: "10m", memory: "64Mi", "ephemeral-storage": "1Gi" },
        },
      );
    return true;
  });
});

test("a LimitRange that the sidecar's own limits exceed refuses the pod, and the annotations mend it", {
  skip,
}, async () => {
  await using bed = await startWebhookBed({ server });
  const namespace = await bed.namespace("all");
  await limitRange(bed, namespace, { max: { cpu: "1" } });
  await createUntil(
    bed,
    namespace,
    (outcome) =>
      typeof outcome === "string" &&
      /maximum cpu usage per Container is 1, but limit is 2/.test(outcome),
  );
  const annotations = { "sallyport.dev/proxy-cpu-limit": "1" };
  const pod = await bed.core.createNamespacedPod({
    namespace,
    body: { ...POD, metadata: { generateName: "web-", annotations } },
  });
  assert.deepEqual(
    ours(pod).map(({ resources }) => resources?.limits?.cpu),
    ["1", "1"],
  );
});
