import assert from "node:assert/strict";
import { test } from "node:test";
import type { V1Pod, V1PodSpec } from "@kubernetes/client-node";
import { app } from "./support/containers.ts";
import { lacking as skip } from "./support/given.ts";
import { apply, list } from "./support/kubectl.ts";
import { deployment, INJECTED } from "./support/objects.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { RunningKubectl } from "./support/running-kubectl.ts";
import { hasSidecar } from "./support/sidecar.ts";
import { rolledOut } from "./support/waiting.ts";

const enforcing = (level: string) =>
  ownNamespace(`e2e-pod-security-${level}`, {
    ...ENABLED,
    "pod-security.kubernetes.io/enforce": level,
  });
const namespaces = {
  baseline: enforcing("baseline"),
  restricted: enforcing("restricted"),
  privileged: enforcing("privileged"),
};

/** Satisfies `restricted` by itself: what is refused is refused for what has been injected. */
const hardened: V1PodSpec = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
  containers: [
    {
      ...app("app", "target-main"),
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
    },
  ],
};

for (const level of ["baseline", "restricted"] as const) {
  const namespace = namespaces[level];

  test(`Pod Security ${level}: without a sidecar the pod runs`, { skip }, async () => {
    await apply(namespace, deployment("plain", hardened));
    await rolledOut(namespace, "deployment/plain");
  });

  test(`Pod Security ${level}: kubectl apply warns of what it will refuse, and what to do`, {
    skip,
  }, async () => {
    const { stderr } = await apply(namespace, deployment("web", hardened, INJECTED));
    assert.match(
      stderr,
      new RegExp(
        `Warning: .*Pod Security "${level}".* refuses sallyport-init, which needs NET_ADMIN`,
      ),
    );
    assert.match(stderr, /pod-security\.kubernetes\.io\/enforce=privileged/);
  });

  test(`Pod Security ${level}: the pods are refused for sallyport-init alone, and never run without their sidecar`, {
    skip,
  }, async () => {
    await using events = new RunningKubectl(
      ...["get", "events", "--namespace", namespace, "--watch"],
      ...["--field-selector", "reason=FailedCreate", "--output", "jsonpath={.message}{'\\n'}"],
    );
    const said = await events.line((line) => (line.includes("web-") ? line : undefined));
    assert.match(said, new RegExp(`violates PodSecurity "${level}:latest"`));
    assert.match(said, /container "sallyport-init" must not include "NET_ADMIN", "NET_RAW"/);
    assert.doesNotMatch(said, /sallyport-proxy|"app"/);
    assert.deepEqual(await list<V1Pod>(namespace, "pods", "app=web"), []);
  });
}

test("Pod Security privileged: the same Deployment runs with its sidecar, unwarned", {
  skip,
}, async () => {
  const { stderr } = await apply(namespaces.privileged, deployment("web", hardened, INJECTED));
  assert.equal(stderr, "");
  await rolledOut(namespaces.privileged, "deployment/web");
  const [pod] = await list<V1Pod>(namespaces.privileged, "pods", "app=web");
  assert.ok(pod && hasSidecar(pod));
});
