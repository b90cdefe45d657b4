import assert from "node:assert/strict";
import { test } from "node:test";
import type { V1Container, V1Pod, V1Probe } from "@kubernetes/client-node";
import { app, idle } from "./support/containers.ts";
import { lacking as skip } from "./support/given.ts";
import { apply, read } from "./support/kubectl.ts";
import { INJECTED, pod } from "./support/objects.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { RunningKubectl } from "./support/running-kubectl.ts";
import { hasSidecar } from "./support/sidecar.ts";
import { waitFor } from "./support/waiting.ts";

const namespace = ownNamespace("e2e-probes", ENABLED);

type Check = Pick<V1Probe, "httpGet" | "tcpSocket" | "grpc" | "exec">;

/** A container for each kind of probe, and how the probe looks that it answers, and one that it does not. */
const served: readonly [V1Container, up: Check, down: Check][] = [
  [
    { ...app("http", "target-main"), ports: [{ name: "web", containerPort: 8080 }] },
    { httpGet: { path: "/", port: "web" } },
    { httpGet: { path: "/missing", port: "web" } },
  ],
  [idle("tcp"), { tcpSocket: { port: 8080 } }, { tcpSocket: { port: 8084 } }],
  [
    app("grpc", "grpc-health-main"),
    { grpc: { port: 8083 } },
    { grpc: { port: 8083, service: "down" } },
  ],
  [idle("exec"), { exec: { command: ["test", "-d", "/"] } }, { exec: { command: ["false"] } }],
];

test("a pod with HTTP, TCP, gRPC and exec probes becomes ready", {
  skip,
}, async () => {
  const every = { periodSeconds: 2, timeoutSeconds: 5 };
  const probed = served.map(([container, up]) => ({
    ...container,
    startupProbe: { ...up, ...every, failureThreshold: 30 },
    readinessProbe: { ...up, ...every },
    livenessProbe: { ...up, ...every, failureThreshold: 1 },
  }));
  await apply(namespace, pod("up", { containers: probed }, INJECTED));
  await waitFor(namespace, "pod/up", "condition=Ready");

  const up = await read<V1Pod>(namespace, "pod", "up");
  assert.equal(hasSidecar(up), true);
  assert.deepEqual(
    up.status?.containerStatuses?.map(({ ready, restartCount }) => [ready, restartCount]),
    served.map(() => [true, 0]),
  );
});

test("a probe that fails is seen to fail: HTTP, TCP, gRPC and exec", { skip }, async () => {
  const probed = served.map(([container, , down]) => ({
    ...container,
    readinessProbe: { ...down, periodSeconds: 1, timeoutSeconds: 5 },
  }));
  await apply(namespace, pod("down", { containers: probed }, INJECTED));
  await using events = new RunningKubectl(
    ...["get", "events", "--namespace", namespace, "--watch"],
    ...["--field-selector", "involvedObject.name=down,reason=Unhealthy"],
    ...["--output", "jsonpath={.involvedObject.fieldPath} {.message}{'\\n'}"],
  );
  for (const [name, said] of [
    ["http", /HTTP probe failed with statuscode: 404/],
    ["tcp", /connection refused/],
    ["grpc", /NOT_SERVING/],
    ["exec", /Readiness probe failed/],
  ] as const)
    await events.line((line) =>
      line.startsWith(`spec.containers{${name}}`) && said.test(line) ? true : undefined,
    );
  const { status } = await read<V1Pod>(namespace, "pod", "down");
  assert.deepEqual(
    status?.containerStatuses?.filter(({ ready }) => ready),
    [],
  );
});
