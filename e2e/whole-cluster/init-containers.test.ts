import assert from "node:assert/strict";
import { test } from "node:test";
import type { V1Pod } from "@kubernetes/client-node";
import { fetchOnce, idle } from "./support/containers.ts";
import { lacking as skip } from "./support/given.ts";
import { apply, kubectl, read } from "./support/kubectl.ts";
import { INJECTED, pod } from "./support/objects.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { INIT, initContainersOf, PROXY, recordOf } from "./support/sidecar.ts";
import { targetIn } from "./support/target.ts";
import { waitFor } from "./support/waiting.ts";

const namespace = ownNamespace("e2e-init-containers", ENABLED);
targetIn(namespace);

test("user init containers have the network, in their order, and their connections are the sidecar's", {
  skip,
}, async () => {
  const helper = { ...idle("helper"), restartPolicy: "Always" };
  const spec = {
    initContainers: [
      fetchOnce("first", "http://target:8001/first"),
      helper,
      fetchOnce("second", "http://target:8002/second"),
    ],
    containers: [idle()],
  };
  await apply(namespace, pod("app", spec, INJECTED));
  await waitFor(namespace, "pod/app", "condition=Ready");

  const app = await read<V1Pod>(namespace, "pod", "app");
  assert.deepEqual(initContainersOf(app), [INIT, PROXY, "first", "helper", "second"]);
  for (const [name, port] of [
    ["first", 8001],
    ["second", 8002],
  ] as const) {
    assert.equal(await kubectl("logs", "app", "-c", name, "-n", namespace), "the target\n");
    const record = await recordOf(namespace, "app", (each) => each.original_port === port);
    assert.equal(record.name, "target");
    assert.equal(record.closed_how, "end");
  }
});

test("an init container that fails is tried again, and has the network again", {
  skip,
}, async () => {
  // The first time there is no file; the volume keeps it for the second.
  const flaky = {
    ...fetchOnce(
      "flaky",
      "http://target:8003/again && test -e /kept/file || { touch /kept/file; exit 1; }",
    ),
    volumeMounts: [{ name: "kept", mountPath: "/kept" }],
  };
  const spec = {
    initContainers: [flaky],
    containers: [idle()],
    volumes: [{ name: "kept", emptyDir: {} }],
  };
  await apply(namespace, pod("again", spec, INJECTED));
  await waitFor(namespace, "pod/again", "condition=Ready");

  const { status } = await read<V1Pod>(namespace, "pod", "again");
  const restarts = (container: string) =>
    status?.initContainerStatuses?.find(({ name }) => name === container)?.restartCount;
  assert.deepEqual([restarts(INIT), restarts(PROXY), restarts("flaky")], [0, 0, 1]);
  await recordOf(namespace, "again", (each) => each.original_port === 8003);
});
