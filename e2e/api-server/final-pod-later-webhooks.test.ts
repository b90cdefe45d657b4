import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ApiException, type V1Container, type V1Pod } from "@kubernetes/client-node";
import { type PatchOperation, startOtherWebhook } from "./other-webhook.ts";
import { lackingBed, startWebhookBed, type WebhookBed } from "./webhook-bed.ts";

const skip = lackingBed;
const REINVOCATION = ["Never", "IfNeeded"] as const;

const APP: V1Container = {
  name: "app",
  image: "registry.example/web:1",
  securityContext: { runAsNonRoot: true },
};
const POD: V1Pod = {
  metadata: { generateName: "web-", annotations: { "sallyport.dev/ca-bundle": "corporate-ca" } },
  spec: { containers: [APP] },
};

/** What a webhook that is called after ours does to a pod, and what comes of it. */
interface Case {
  readonly does: string;
  readonly change: (pod: V1Pod) => readonly PatchOperation[];
  /** Called once, before our second call: what the API server says; absent where it is overwritten. */
  readonly once?: RegExp;
  /** Called again after our second call. */
  readonly again: RegExp;
}

const at = (pod: V1Pod, name: string) =>
  pod.spec?.initContainers?.findIndex((one) => one.name === name) ?? -1;
let fresh = 0;

const CASES: readonly Case[] = [
  {
    does: "puts an init container in front",
    change: () => [
      { op: "add", path: "/spec/initContainers/0", value: { ...APP, name: `early-${fresh++}` } },
    ],
    again: /spec\.initContainers\[0\]: there is "early-\d+", expected "sallyport-init"/,
  },
  {
    does: "gives the app NET_ADMIN",
    change: () => [
      {
        op: "add",
        path: "/spec/containers/0/securityContext",
        value: { capabilities: { add: ["NET_ADMIN"] } },
      },
    ],
    once: /spec\.containers\[0\]\.securityContext\.capabilities\.add\[0\]: container app with NET_ADMIN/,
    again:
      /spec\.containers\[0\]\.securityContext\.capabilities\.add\[0\]: container app with NET_ADMIN/,
  },
  {
    does: "rewrites the sidecar's image",
    change: (pod) => [
      {
        op: "replace",
        path: `/spec/initContainers/${at(pod, "sallyport-proxy")}/image`,
        value: "mirror.example/proxy:1",
      },
    ],
    again:
      /initContainers\[1\]\.image: there is "mirror\.example\/proxy:1", expected "sallyport\/proxy/,
  },
  {
    does: "takes the rules' container out",
    change: (pod) =>
      at(pod, "sallyport-init") < 0
        ? []
        : [{ op: "remove", path: `/spec/initContainers/${at(pod, "sallyport-init")}` }],
    again: /spec\.initContainers\[0\]: "sallyport-init" is expected here, and is gone/,
  },
  {
    does: "takes the whole sidecar out",
    change: () =>
      ["initContainers", "volumes", "containers/0/volumeMounts"].map((list) => ({
        ...{ op: "replace" as const, path: `/spec/${list}` },
        value: [],
      })),
    again: /it is to have a sidecar and has neither/,
  },
  {
    does: "adds a variable to the sidecar",
    change: (pod) => [
      {
        op: "add",
        path: `/spec/initContainers/${at(pod, "sallyport-proxy")}/env/0`,
        value: { name: "NODE_OPTIONS", value: "--inspect" },
      },
    ],
    again: /initContainers\[1\]\.env\[0\]: there is "NODE_OPTIONS", expected nothing/,
  },
  {
    does: "puts the pod on the node's network",
    change: () => [{ op: "add", path: "/spec/hostNetwork", value: true }],
    once: /sallyport-init, sallyport-proxy cannot be in it: the pod uses hostNetwork/,
    again: /sallyport-init, sallyport-proxy cannot be in it: the pod uses hostNetwork/,
  },
  {
    does: "mounts the sidecar's volume into the app",
    change: () => [
      {
        op: "add",
        path: "/spec/containers/0/volumeMounts/-",
        value: { name: "sallyport-ca-bundle", mountPath: "/ca" },
      },
    ],
    once: /spec\.containers\[0\]\.volumeMounts\[1\]\.name: "sallyport-ca-bundle"/,
    again: /spec\.containers\[0\]\.volumeMounts\[1\]\.name: "sallyport-ca-bundle"/,
  },
  {
    does: "lets the app run as the sidecar's user",
    change: (pod) => [
      {
        op: "add",
        path: "/spec/containers/0/securityContext/runAsUser",
        value:
          pod.spec?.initContainers?.[at(pod, "sallyport-proxy")]?.securityContext?.runAsUser ?? 1,
      },
    ],
    again: /spec\.containers\[0\]\.securityContext\.runAsUser: \d+ is the sidecar's own/,
  },
  {
    does: "rewrites what the status says",
    change: () => [
      { op: "replace", path: "/metadata/annotations/sallyport.dev~1status", value: "none" },
    ],
    again: /metadata\.annotations\[sallyport\.dev\/status\]: it is gone, or no status/,
  },
];

let bed: WebhookBed;
before(async () => {
  if (!skip) bed = await startWebhookBed();
});
after(() => bed?.[Symbol.asyncDispose]());

for (const { does, change, once, again } of CASES)
  for (const reinvocationPolicy of REINVOCATION) {
    const says = reinvocationPolicy === "Never" ? once : again;
    test(`a later webhook, reinvoked ${reinvocationPolicy}, that ${does}: ${says ? "refused" : "overwritten"}`, {
      skip,
    }, async () => {
      await using other = await startOtherWebhook(change);
      const namespace = await bed.namespace("all");
      await bed.registerLater(namespace, other, reinvocationPolicy);
      const answer = await create(namespace, POD);
      if (says) return void assert.match(String(answer), says);
      assert.ok(!(typeof answer === "string"), String(answer));
      isIntact(answer);
    });
  }

/** The pod as stored, or what the API server says. */
async function create(namespace: string, body: V1Pod): Promise<V1Pod | string> {
  try {
    return await bed.core.createNamespacedPod({ namespace, body });
  } catch (error) {
    if (error instanceof ApiException) return JSON.parse(error.body).message;
    throw error;
  }
}

function isIntact({ spec, metadata }: V1Pod): void {
  const [init, proxy] = spec?.initContainers ?? [];
  assert.deepEqual([init?.name, proxy?.name], ["sallyport-init", "sallyport-proxy"]);
  assert.match(proxy?.image ?? "", /^sallyport\/proxy:/);
  assert.equal(proxy?.env?.[0]?.name, "SALLYPORT_PROXY_CONFIG");
  const status = JSON.parse(metadata?.annotations?.["sallyport.dev/status"] ?? "null");
  assert.equal(status.uid, proxy?.securityContext?.runAsUser);
  assert.notEqual(spec?.containers[0]?.securityContext?.runAsUser, status.uid);
}
