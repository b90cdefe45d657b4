import assert from "node:assert/strict";
import { test } from "node:test";
import type { V1Pod, V1PodSpec } from "@kubernetes/client-node";
import { idle } from "./support/containers.ts";
import { lacking as skip } from "./support/given.ts";
import { apply, kubectl, list, tryKubectl } from "./support/kubectl.ts";
import { deployment, INJECTED } from "./support/objects.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { hasSidecar } from "./support/sidecar.ts";
import { rolledOut, waitFor } from "./support/waiting.ts";

const namespace = ownNamespace("e2e-evictable", ENABLED);

async function running(name: string, spec: V1PodSpec) {
  await apply(namespace, deployment(name, spec, INJECTED));
  await rolledOut(namespace, `deployment/${name}`);
  const [pod] = await list<V1Pod>(namespace, "pods", `app=${name}`);
  assert.ok(pod && hasSidecar(pod));
  return { pod: pod.metadata?.name ?? "", node: pod.spec?.nodeName ?? "" };
}

const drain = (node: string, app: string, ...more: readonly string[]) =>
  tryKubectl([
    ...["drain", node, "--ignore-daemonsets", "--dry-run=server"],
    ...[`--pod-selector=app=${app}`, ...more],
  ]);

test("kubectl drain evicts an injected pod, told that what is kept in it may go, and so does the API server", {
  skip,
}, async () => {
  const { pod, node } = await running("web", { containers: [idle()] });
  const { status, stdout, stderr } = await drain(node, "web", "--delete-emptydir-data");
  assert.equal(status, 0, stderr);
  assert.match(stdout + stderr, new RegExp(`evicting pod ${namespace}/${pod}`));

  const eviction = {
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: { name: pod, namespace },
  };
  const { status: evicted, stderr: said } = await tryKubectl(
    ["create", "--raw", `/api/v1/namespaces/${namespace}/pods/${pod}/eviction`, "-f", "-"],
    { input: JSON.stringify(eviction) },
  );
  assert.equal(evicted, 0, said);
  await waitFor(namespace, `pod/${pod}`, "delete");
  await rolledOut(namespace, "deployment/web");
});

test("an injected pod with local data of its own still stops kubectl drain", {
  skip,
}, async () => {
  const { node } = await running("data", {
    containers: [idle()],
    volumes: [{ name: "data", emptyDir: {} }],
  });
  const { status, stderr } = await drain(node, "data");
  assert.notEqual(status, 0);
  assert.match(stderr, /delete-emptydir-data/);
  await kubectl("delete", "deployment", "data", "--namespace", namespace);
});
