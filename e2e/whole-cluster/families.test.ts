import assert from "node:assert/strict";
import { isIPv4 } from "node:net";
import { after, before, type TestContext, test } from "node:test";
import type { V1Pod, V1Service } from "@kubernetes/client-node";
import { idle } from "./support/containers.ts";
import { lacking as skip } from "./support/given.ts";
import { apply, kubectl, read } from "./support/kubectl.ts";
import { INJECTED, pod } from "./support/objects.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { recordOf, recordsOf } from "./support/sidecar.ts";
import { targetIn, UDP } from "./support/target.ts";
import { waitFor } from "./support/waiting.ts";
import { FAMILIES, type Family, lackingWorld, serveInWorld, type World } from "./support/world.ts";

const namespace = ownNamespace("e2e-families", ENABLED);
targetIn(namespace);

before(async () => {
  if (skip) return;
  await apply(namespace, pod("app", { containers: [idle()] }, INJECTED));
  await waitFor(namespace, "pod/app", "condition=Ready");
});

const OPTION = { IPv4: "-4", IPv6: "-6" } as const;
const inApp = (...argv: readonly string[]) =>
  kubectl("exec", "app", "--namespace", namespace, "--", ...argv);
const bracketed = (address: string) => (isIPv4(address) ? address : `[${address}]`);

const ofFamily = (addresses: readonly string[], family: Family) =>
  addresses.find((address) => isIPv4(address) === (family === "IPv4"));

/** Where the Service and its pod are in this family; skips the test where the cluster has no such addresses. */
async function target(t: TestContext, family: Family) {
  const [service, { status }] = await Promise.all([
    read<V1Service>(namespace, "service", "target"),
    read<V1Pod>(namespace, "pod", "target"),
  ]);
  const serviceAddress = ofFamily(service.spec?.clusterIPs ?? [], family);
  const podAddress = ofFamily(status?.podIPs?.map(({ ip }) => ip) ?? [], family);
  if (serviceAddress && podAddress) return { service: serviceAddress, pod: podAddress };
  t.skip(`NOT TESTED HERE: this cluster has no ${family}`);
  return undefined;
}

const lookup = (address: string, port: number) =>
  recordOf(
    namespace,
    "app",
    (record) => record.original_address === address && record.original_port === port,
  );

for (const family of FAMILIES) {
  test(`${family}: TCP to a Service and to a pod goes through the sidecar`, { skip }, async (t) => {
    const at = await target(t, family);
    if (!at) return;
    const curl = ["curl", "--silent", "--fail", "--max-time", "10"];
    const byName = await inApp(...curl, OPTION[family], "http://target:8001/");
    const byAddress = await inApp(...curl, `http://${bracketed(at.pod)}:8080/`);
    assert.deepEqual([byName, byAddress], ["the target\n", "the target\n"]);
    for (const { verdict, dialled_address, original_address } of [
      await lookup(at.service, 8001),
      await lookup(at.pod, 8080),
    ])
      assert.deepEqual([verdict, dialled_address], ["allow", original_address]);
  });

  test(`${family}: UDP within the cluster passes`, { skip }, async (t) => {
    const at = await target(t, family);
    if (!at) return;
    for (const address of [at.service, at.pod])
      assert.equal(await sayByUdp(address, UDP), "heard\n", address);
  });
}

/** What came back within a second. */
const sayByUdp = (address: string, port: number) =>
  inApp("sh", "-c", `echo heard | nc -u -w 1 ${address} ${port}`);

let world: World | undefined;
before(async () => {
  if (!skip && !lackingWorld()) world = await serveInWorld();
});
after(() => world?.[Symbol.asyncDispose]());

for (const family of FAMILIES) {
  test(`${family}: TCP to the outside passes in audit mode, through the sidecar, with what enforcing would have said`, {
    skip: skip || lackingWorld(),
  }, async (t) => {
    if (!(await target(t, family)) || !world) return;
    const { addresses, http } = world;
    const url = `http://${bracketed(addresses[family])}:${http}/`;
    assert.equal(await inApp("curl", "-s", "--max-time", "10", url), "the target\n");
    const { verdict, reason, would_be } = await lookup(addresses[family], http);
    assert.deepEqual([verdict, reason, would_be], ["allow", "allowed.audit", "denied.no_rule"]);
  });

  test(`${family}: UDP to the outside passes in audit mode, unrecorded`, {
    skip: skip || lackingWorld(),
  }, async (t) => {
    if (!(await target(t, family)) || !world) return;
    const { addresses, udp } = world;
    assert.equal(await sayByUdp(addresses[family], udp), "heard\n");
    const records = await recordsOf(namespace, "app");
    assert.equal(
      records.some(({ original_port }) => original_port === udp),
      false,
    );
  });
}
