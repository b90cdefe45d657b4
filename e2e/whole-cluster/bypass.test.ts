import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { V1SecurityContext } from "@kubernetes/client-node";
import type { Row } from "@sallyport/cli/check/bypass/verdict";
import { idle } from "./support/containers.ts";
import { lacking as skip } from "./support/given.ts";
import { apply, kubectl } from "./support/kubectl.ts";
import { INJECTED, pod } from "./support/objects.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { sallyport } from "./support/sallyport.ts";
import { waitFor } from "./support/waiting.ts";

const namespace = ownNamespace("e2e-bypass", ENABLED);

const CONFINED: V1SecurityContext = {
  runAsUser: 1_000,
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
};
const ROOT: V1SecurityContext = { runAsUser: 0 };

before(async () => {
  if (skip) return;
  // Whatever the installation's default: nothing but the cluster is permitted.
  await apply(namespace, {
    ...{ apiVersion: "sallyport.dev/v1alpha1", kind: "EgressBoundary" },
    metadata: { name: namespace },
    spec: {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
      mode: "enforce",
    },
  });
  const container = (securityContext: V1SecurityContext) => ({ ...idle(), securityContext });
  const opened = { ...INJECTED, "sallyport.dev/exclude-outbound-ports": "5432" };
  await apply(
    namespace,
    pod("confined", { containers: [container(CONFINED)] }, INJECTED),
    pod("opened", { containers: [container(CONFINED)] }, opened),
    pod("root", { containers: [container(ROOT)] }, INJECTED),
  );
  for (const name of ["confined", "opened", "root"])
    await waitFor(namespace, `pod/${name}`, "condition=Ready");
});

after(async () => {
  if (skip) return;
  await kubectl("delete", "egressboundary", namespace, "--ignore-not-found");
});

async function tried(name: string) {
  const { status, stdout, stderr } = await sallyport(
    ...["check", "--bypass", name, "--namespace", namespace, "--output", "json"],
  );
  assert.ok(status <= 1 && stderr === "", stderr);
  const { holds, ways }: { holds: boolean; ways: readonly Row[] } = JSON.parse(stdout);
  const thatAre = (verdict: Row["verdict"]) =>
    ways.filter((row) => row.verdict === verdict).map(({ way }) => way);
  return { status, holds, ways, thatAre, stdout };
}

test("a pod that keeps no privileges does not get past its sidecar by any way that can be tried", {
  skip,
}, async (t) => {
  const { status, holds, thatAre, stdout } = await tried("confined");
  assert.deepEqual([status, holds, thatAre("open"), thatAre("unknown")], [0, true, [], []], stdout);
  const held = thatAre("held");
  for (const way of ["tcp_ipv4", "dns_tls", "tls_without_name", "tls_spoofed_name", "listener"])
    assert.ok(held.includes(way), stdout);
  for (const way of ["iptables", "raw_sockets", "proxy_user", "before_ready", "image_user"])
    assert.ok(held.includes(way), stdout);
  t.diagnostic(stdout);
});

test("what its annotation opens is open on purpose, and says by which", { skip }, async () => {
  const { status, ways, stdout } = await tried("opened");
  assert.equal(status, 0, stdout);
  const row = ways.find(({ way }) => way === "tcp_excluded_5432");
  assert.equal(row?.verdict, "open_on_purpose");
  assert.match(row?.happened ?? "", /^annotation sallyport\.dev\/exclude-outbound-ports: 5432; /);
});

test("a container that is root and keeps what runtimes leave to root gets past, and is told how to close it", {
  skip,
}, async () => {
  const { status, thatAre, ways, stdout } = await tried("root");
  assert.equal(status, 1, stdout);
  assert.deepEqual(thatAre("open").sort(), ["proxy_user", "raw_sockets"], stdout);
  const row = ways.find(({ way }) => way === "proxy_user");
  assert.match(row?.happened ?? "", /set runAsNonRoot: true, or drop SETUID and SETGID$/);
});
