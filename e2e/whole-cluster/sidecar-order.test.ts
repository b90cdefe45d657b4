import assert from "node:assert/strict";
import { test } from "node:test";
import type { V1ContainerStatus, V1Pod } from "@kubernetes/client-node";
import { ClusterAuthority } from "../cluster/pki.ts";
import { fetchOnce, idle, shell } from "./support/containers.ts";
import { lacking as skip } from "./support/given.ts";
import { apply, kubectl, list, read } from "./support/kubectl.ts";
import { deployment, INJECTED, pod } from "./support/objects.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { RunningKubectl } from "./support/running-kubectl.ts";
import { INIT, PROXY, recordsOf } from "./support/sidecar.ts";
import { targetIn } from "./support/target.ts";
import { rolledOut, waitFor } from "./support/waiting.ts";

const namespace = ownNamespace("e2e-sidecar-order", ENABLED);
targetIn(namespace);

const REPLICAS = 5;

/** When it was started, and when it ended; whole seconds (metav1.Time). */
const startOf = ({ state }: V1ContainerStatus) =>
  Number(state?.running?.startedAt ?? state?.terminated?.startedAt);

test("the app starts after the sidecar serves, in every pod, and its first connection goes through", {
  skip,
}, async () => {
  // The very first thing that it does, and without a second try.
  const first = `curl --silent --fail http://target:8001/first; trap exit TERM; sleep infinity & wait`;
  const { spec, ...rest } = deployment("first", { containers: [shell("app", first)] }, INJECTED);
  await apply(namespace, { ...rest, spec: { ...(spec as object), replicas: REPLICAS } });
  await rolledOut(namespace, "deployment/first");

  const pods = await list<V1Pod>(namespace, "pods", "app=first");
  assert.equal(pods.length, REPLICAS);
  for (const { metadata, status } of pods) {
    const statuses = [
      ...(status?.initContainerStatuses ?? []),
      ...(status?.containerStatuses ?? []),
    ];
    assert.deepEqual(
      statuses.map(({ name, restartCount }) => [name, restartCount]),
      [
        [INIT, 0],
        [PROXY, 0],
        ["app", 0],
      ],
    );
    const starts = statuses.map(startOf);
    assert.deepEqual(starts, starts.toSorted());
    const [record] = await recordsOf(namespace, metadata?.name ?? "");
    assert.equal(record?.original_port, 8001);
  }
});

test("where the sidecar cannot start the app never does, and once the sidecar can, so does the app", {
  skip,
}, async () => {
  const authorities = (text: string) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "authorities" },
    data: { "ca.crt": text },
  });
  await apply(
    namespace,
    authorities("no certificate"),
    pod(
      "stuck",
      { initContainers: [fetchOnce("init", "http://target:8002/init")], containers: [idle()] },
      { ...INJECTED, "sallyport.dev/ca-bundle": "authorities" },
    ),
  );
  await using events = new RunningKubectl(
    ...["get", "events", "--namespace", namespace, "--watch"],
    ...["--field-selector", "involvedObject.name=stuck,reason=BackOff"],
    ...["--output", "jsonpath={.involvedObject.fieldPath}{'\\n'}"],
  );
  await events.line((line) => (line === `spec.initContainers{${PROXY}}` ? true : undefined));
  const { status } = await read<V1Pod>(namespace, "pod", "stuck");
  const [, proxy, init] = status?.initContainerStatuses ?? [];
  const ended = proxy?.lastState?.terminated ?? proxy?.state?.terminated;
  assert.equal(ended?.exitCode, 1);
  assert.match(ended?.message ?? "", /ca\.crt.*certificate/);
  for (const waiting of [init, ...(status?.containerStatuses ?? [])]) {
    assert.equal(waiting?.started, false);
    assert.equal(waiting?.state?.waiting?.reason, "PodInitializing");
  }

  const { certificate } = await ClusterAuthority.create("corporate");
  await apply(namespace, authorities(certificate));
  // The kubelet brings the new text to the volume with its next look at the pod, a minute later at most; any change of the
  // pod makes it look.
  await kubectl("annotate", "pod", "stuck", "looked-at=again", "--namespace", namespace);
  await waitFor(namespace, "pod/stuck", "condition=Ready");
});
