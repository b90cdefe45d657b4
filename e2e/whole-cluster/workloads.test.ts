import assert from "node:assert/strict";
import { test } from "node:test";
import type { V1Pod } from "@kubernetes/client-node";
import { idle } from "./support/containers.ts";
import { lacking as skip } from "./support/given.ts";
import { apply, kubectl, list, type Manifest } from "./support/kubectl.ts";
import { daemonSet, deployment, INJECTED, pod, statefulSet } from "./support/objects.ts";
import { ALL, ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { hasSidecar } from "./support/sidecar.ts";
import { rolledOut, waitFor } from "./support/waiting.ts";

const namespace = ownNamespace("e2e-workloads", ENABLED);
const all = ownNamespace("e2e-workloads-all", ALL);
const unlabelled = ownNamespace("e2e-workloads-unlabelled");

const spec = { containers: [idle()] };

/** Of the pods that are to stay: those of an earlier template may still be ending. */
async function sidecarsOf(app: string): Promise<boolean[]> {
  const pods = await list<V1Pod>(namespace, "pods", `app=${app}`);
  return pods.filter(({ metadata }) => !metadata?.deletionTimestamp).map(hasSidecar);
}

for (const [kind, make] of [
  ["Deployment", deployment],
  ["StatefulSet", statefulSet],
  ["DaemonSet", daemonSet],
] as const)
  test(`a ${kind} that is annotated rolls by itself, and rolls back without the annotation`, {
    skip,
  }, async () => {
    const name = kind.toLowerCase();
    const annotate = (value: string) =>
      kubectl("annotate", name, name, `sallyport.dev/inject${value}`, "--namespace", namespace);
    await apply(namespace, make(name, spec));
    await rolledOut(namespace, `${name}/${name}`);
    assert.deepEqual(await sidecarsOf(name), [false]);

    await annotate("=true");
    await rolledOut(namespace, `${name}/${name}`);
    assert.deepEqual(await sidecarsOf(name), [true]);

    await annotate("-");
    await rolledOut(namespace, `${name}/${name}`);
    assert.deepEqual(await sidecarsOf(name), [false]);
  });

const status = "sallyport.dev/status";
const onTheNode = { ...spec, hostNetwork: true };

/** What becomes of a pod, and what its author is told. */
async function admitted(where: string, manifest: Manifest) {
  const { stderr } = await apply(where, manifest);
  await waitFor(where, `pod/${manifest.metadata.name}`, "condition=Ready");
  const [found] = await list<V1Pod>(where, "pods", `app=${manifest.metadata.name}`);
  assert.ok(found);
  assert.equal(found.metadata?.annotations?.[status] !== undefined, hasSidecar(found));
  return { injected: hasSidecar(found), stderr };
}

test("a pod with hostNetwork is left alone, and whoever asked for a sidecar is told why", {
  skip,
}, async () => {
  const { injected, stderr } = await admitted(namespace, pod("on-node", onTheNode, INJECTED));
  assert.equal(injected, false);
  assert.match(stderr, /Warning: no sidecar: the pod uses hostNetwork/);
});

test("a namespace labelled all: every pod but those that say no", { skip }, async () => {
  const no = { "sallyport.dev/inject": "false" };
  const injected = await Promise.all(
    [pod("plain", spec), pod("not", spec, no), pod("on-node", onTheNode)].map((each) =>
      admitted(all, each),
    ),
  );
  assert.deepEqual(
    injected.map((each) => each.injected),
    [true, false, false],
  );
});

test("a namespace without the label is left alone, whatever its pods say", { skip }, async () => {
  const { injected, stderr } = await admitted(unlabelled, pod("asks", spec, INJECTED));
  assert.equal(injected, false);
  assert.equal(stderr, "");
});
