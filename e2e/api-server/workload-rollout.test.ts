import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { V1Pod } from "@kubernetes/client-node";
import { type OwnApiServer, startApiServer } from "../cluster/api-server.ts";
import { lackingOwnBed, startWebhookBed, type WebhookBed } from "./webhook-bed.ts";

const skip = lackingOwnBed;

/** With the controllers that make ReplicaSets and pods; nobody runs the pods. */
let server: OwnApiServer;
let bed: WebhookBed;
before(async () => {
  if (skip) return;
  server = await startApiServer({ controllers: true });
  bed = await startWebhookBed({ server });
});
after(async () => {
  await bed?.[Symbol.asyncDispose]();
  await server?.stop();
});

const labels = { app: "web" };
const spec = (securityContext = {}) => ({
  containers: [
    {
      ...{ name: "web", image: "registry.example/web:1" },
      securityContext: { runAsNonRoot: true, ...securityContext },
    },
  ],
});
const deployment = (name: string, podSpec: object) => ({
  ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name } },
  spec: {
    replicas: 2,
    strategy: { type: "Recreate" },
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: podSpec },
  },
});

async function run(namespace: string, args: string, input?: object): Promise<string> {
  const ran = await bed.kubectl([...args.split(" "), "-n", namespace], input);
  assert.equal(ran.status, 0, ran.stderr);
  return ran.stderr;
}

async function until<T>(look: () => Promise<T>, holds: (seen: T) => boolean): Promise<T> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    assert.ok(performance.now() < deadline, JSON.stringify(seen));
    await sleep(50);
  }
}

/** Of each pod that is not about to go: its containers before the app's. */
async function podsOf(namespace: string): Promise<string[]> {
  const { items } = await bed.core.listNamespacedPod({ namespace });
  return items
    .filter(({ metadata }) => !metadata?.deletionTimestamp)
    .map(({ spec }: V1Pod) => (spec?.initContainers ?? []).map(({ name }) => name).join(" "));
}

const both = (which: string) => (pods: string[]) =>
  pods.length === 2 && pods.every((pod) => pod === which);

test("kubectl annotate deployment rolls its pods into having a sidecar, and back", {
  skip,
}, async () => {
  const namespace = await bed.namespace("enabled");
  const pods = () => podsOf(namespace);
  await run(namespace, "create -f -", deployment("web", spec()));
  await until(pods, both(""));
  await run(namespace, "annotate deployment web sallyport.dev/inject=true");
  await until(pods, both("sallyport-init sallyport-proxy"));
  await run(namespace, "annotate deployment web sallyport.dev/inject-");
  await until(pods, both(""));
});

test("a pod that is refused is told of in its ReplicaSet's events, by the webhook's name", {
  skip,
}, async () => {
  const namespace = await bed.namespace("all");
  const said = await run(
    namespace,
    "create -f -",
    deployment("web", spec({ capabilities: { add: ["NET_ADMIN"] } })),
  );
  assert.match(said, /Warning: its pods will be refused: .*NET_ADMIN/);
  const events = () => bed.core.listNamespacedEvent({ namespace });
  const told = await until(events, ({ items }) =>
    items.some(({ reason }) => reason === "FailedCreate"),
  );
  const event = told.items.find(({ reason }) => reason === "FailedCreate");
  assert.equal(event?.involvedObject.kind, "ReplicaSet");
  assert.match(event?.message ?? "", /"all\.pods\.sallyport\.dev" denied the request: .*NET_ADMIN/);
});

test("a Job that is annotated too late goes on as it was", { skip }, async () => {
  const namespace = await bed.namespace("enabled");
  const job = {
    ...{ apiVersion: "batch/v1", kind: "Job", metadata: { name: "batch" } },
    spec: { template: { spec: { ...spec(), restartPolicy: "Never" } } },
  };
  await run(namespace, "create -f -", job);
  assert.match(
    await run(namespace, "annotate job batch sallyport.dev/inject=true"),
    /Warning: .* on a Job counts when it is created/,
  );
  await until(
    () => podsOf(namespace),
    (pods) => pods.length === 1 && pods[0] === "",
  );
  // Its controller replaces the pod, and writes to the Job.
  await run(namespace, "delete pod --all");
  await until(
    () => podsOf(namespace),
    (pods) => pods.length === 1 && pods[0] === "",
  );
});
