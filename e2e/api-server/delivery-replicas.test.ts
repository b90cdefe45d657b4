import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  ApiextensionsV1Api,
  loadAllYaml,
  type V1CustomResourceDefinition,
} from "@kubernetes/client-node";
import type { PodRef } from "@sallyport/controller/rules/snapshots";
import { SidecarClient } from "../../controller/test/delivery/sidecar-client.ts";
import { lackingApiServer, type OwnApiServer, startApiServer } from "../cluster/api-server.ts";
import { clientOf } from "../cluster/namespaces.ts";
import {
  type CertificateSource,
  type Installation,
  install,
  type Replica,
} from "./controller-installation.ts";
import { lackingHelm } from "./controller-rules.ts";
import { tokenFor } from "./delivery-bed.ts";
import { guarded } from "./pod-load.ts";
import { until } from "./until.ts";

const skip = lackingApiServer() || lackingHelm();
let server: OwnApiServer;

before(async () => {
  if (skip) return;
  server = await startApiServer();
  const extensions = clientOf(server.kubeconfig).makeApiClient(ApiextensionsV1Api);
  const text = readFileSync(join(import.meta.dirname, "../../manifests/crds.yaml"), "utf8");
  for (const body of loadAllYaml(text) as V1CustomResourceDefinition[])
    await extensions.createCustomResourceDefinition({ body });
});
after(() => server?.[Symbol.asyncDispose]());

const policyPort = async (replica: Replica) =>
  Number((await replica.line(({ message }) => message === "serving policy")).port);

/** As a person would make it; its sidecar is the webhook's. */
async function createPod({ api, pods }: Installation, name: string) {
  const spec = { containers: [{ name: "app", image: "example.test/app" }] };
  const { metadata, spec: stored } = await api.core.createNamespacedPod({
    namespace: pods,
    body: { metadata: { name }, spec },
  });
  const proxy = [...(stored?.initContainers ?? [])].find((each) => each.name === "sallyport-proxy");
  const config = proxy?.env?.find((each) => each.name === "SALLYPORT_PROXY_CONFIG")?.value;
  const ref: PodRef = { namespace: pods, name, uid: metadata?.uid ?? "" };
  return { ref, control: JSON.parse(config ?? "{}").control };
}

async function connected(
  port: number,
  control: { readonly host: string; readonly ca: string },
  token: string,
): Promise<SidecarClient> {
  // A replica that has begun to serve has not listed everything yet.
  for (;;) {
    const client = await SidecarClient.ask(
      { port, ca: control.ca, servername: control.host },
      token,
    );
    if (client.head?.status !== 503) return client;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

for (const source of ["generated", "files"] as const satisfies readonly CertificateSource[]) {
  test(`certificate ${source}: a pod's sidecar is told whom to trust, and every replica is that; one that is killed is replaced by the other`, {
    skip,
  }, async () => {
    await using installation = await install(server, source);
    const replicas = [
      await installation.replica(["--policy-port", "0"]),
      await installation.replica(["--policy-port", "0"]),
    ] as const;
    await guarded(installation);
    const { ref, control } = await createPod(installation, "web");
    assert.equal(control?.host, `sallyport.${installation.name}.svc.cluster.local`);
    assert.equal(control?.port, 8444);
    const token = await tokenFor(installation.api.core, ref);
    const [first, second] = await Promise.all(replicas.map(policyPort));
    assert.ok(first && second);

    await using one = await connected(first, control, token);
    assert.equal(one.head?.status, 101, one.head?.text);
    const { revision, basis } = await one.hello();
    one.say({ type: "applied", revision });
    await replicas[0].end("SIGKILL");
    await one.until(() => one.ended);
    await using other = await connected(second, control, token);
    assert.equal((await other.hello({ revision, basis })).type, "current");
  });
}

test("a replica that is told to end lets its sidecars go one after the other, and says so to each", {
  skip,
}, async () => {
  await using installation = await install(server);
  const replica = await installation.replica(["--policy-port", "0", "--shutdown-grace", "10"]);
  await guarded(installation);
  const port = await policyPort(replica);
  const clients: SidecarClient[] = [];
  for (let i = 0; i < 8; i++) {
    const { ref, control } = await createPod(installation, `web-${i}`);
    const client = await connected(port, control, await tokenFor(installation.api.core, ref));
    clients.push(client);
    const { revision } = await client.hello();
    client.say({ type: "applied", revision });
  }
  const told = Promise.all(
    clients.map(async (client) => {
      const line = await client.next(({ type }) => type === "end");
      client.socket.end();
      return { why: line.why, atMs: performance.now() };
    }),
  );
  const [ends, status] = await Promise.all([told, replica.end("SIGTERM")]);
  assert.equal(status, 0);
  assert.ok(
    ends.every(({ why }) => why?.includes("about to end")),
    JSON.stringify(ends),
  );
  const times = ends.map(({ atMs }) => atMs);
  const spreadMs = Math.max(...times) - Math.min(...times);
  assert.ok(spreadMs > 1_500, `all within ${spreadMs} ms`);
});

test("the policy CA outlives the Secret's content: whoever leads writes it back", {
  skip,
}, async () => {
  await using installation = await install(server);
  const { api, name } = installation;
  await installation.replica(["--policy-port", "0"]);
  await guarded(installation);
  const read = async () =>
    (await api.core.readNamespacedSecret({ namespace: name, name })).data ?? {};
  const before = await read();
  assert.ok(before["policy-ca.crt"] && before["policy-ca.key"]);
  await api.core.replaceNamespacedSecret({
    namespace: name,
    name,
    body: { metadata: { name }, data: {} },
  });
  await until(
    "it is there again",
    read,
    (data) => data["policy-ca.crt"] === before["policy-ca.crt"],
  );
});
