import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { dirname, resolve } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { AppsV1Api, CoreV1Api, type V1PodSpec, VersionApi } from "@kubernetes/client-node";
import { lackingApiServer, startApiServer } from "../cluster/api-server.ts";
import { pinnedVersion } from "../cluster/components.ts";
import { sources } from "../cluster/environment.ts";
import { apiServer, lacking } from "../cluster/given.ts";
import { clientOf, createNamespace } from "../cluster/namespaces.ts";

const skip = lacking;
const main = resolve(import.meta.dirname, "../cluster/main.ts");
const sleeper: V1PodSpec = { containers: [{ name: "app", image: "app" }] };
const named = (name: string, spec: V1PodSpec) => ({ metadata: { name }, spec });

/** Whether anybody listens there. */
async function answers(url: string): Promise<boolean> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

test("the API server is of the version that was asked for", { skip }, async () => {
  const { kubeconfig } = await apiServer();
  const { gitVersion } = await clientOf(kubeconfig).makeApiClient(VersionApi).getCode();
  assert.equal(gitVersion, `v${sources().kubernetes ?? pinnedVersion("kubernetes")}`);
});

test("in a namespace made for a test, pods can be created at once, as its labels permit", {
  skip,
}, async () => {
  const config = clientOf((await apiServer()).kubeconfig);
  const api = config.makeApiClient(CoreV1Api);
  const namespace = "smoke-restricted";
  await createNamespace(config, namespace, { "pod-security.kubernetes.io/enforce": "restricted" });
  const create = (spec: V1PodSpec, name: string) =>
    api.createNamespacedPod({ namespace, body: named(name, spec) });

  await assert.rejects(create(sleeper, "plain"), /violates PodSecurity .*restricted:latest/);
  const restricted: V1PodSpec = {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        ...{ name: "app", image: "app" },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
      },
    ],
  };
  const pod = await create(restricted, "restricted");
  assert.equal(pod.spec?.serviceAccountName, "default");
});

test("with controllers, a Deployment's ReplicaSet makes its pods", {
  skip: lackingApiServer({ controllers: true }),
}, async () => {
  await using server = await startApiServer({ controllers: true });
  const config = clientOf(server.kubeconfig);
  const labels = { app: "web" };
  await config.makeApiClient(AppsV1Api).createNamespacedDeployment({
    namespace: "default",
    body: {
      metadata: { name: "web" },
      spec: {
        replicas: 3,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: sleeper },
      },
    },
  });
  const deadline = performance.now() + 20_000;
  const pods = async () =>
    (await config.makeApiClient(CoreV1Api).listNamespacedPod({ namespace: "default" })).items;
  while ((await pods()).length < 3 && performance.now() < deadline) await sleep(50);
  assert.deepEqual(
    (await pods()).map((pod) => pod.metadata?.ownerReferences?.[0]?.kind),
    ["ReplicaSet", "ReplicaSet", "ReplicaSet"],
  );
});

test("two API servers stand side by side, and a stopped one leaves nothing", { skip }, async () => {
  const [one, other] = await Promise.all([startApiServer(), startApiServer()]);
  try {
    await createNamespace(clientOf(one.kubeconfig), "only-here");
    await assert.rejects(
      clientOf(other.kubeconfig).makeApiClient(CoreV1Api).readNamespace({ name: "only-here" }),
      /not found/,
    );
  } finally {
    await Promise.all([one.stop(), other.stop()]);
  }
  for (const { url, kubeconfig } of [one, other]) {
    assert.equal(await answers(url), false);
    assert.equal(existsSync(dirname(kubeconfig)), false);
  }
});

test("an API server ends with whoever started it, killed outright too; the next one clears up after it", {
  skip,
}, async () => {
  const starter = spawn(process.execPath, [main, "api-server"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface(starter.stdout), "line");
  const kubeconfig = String(line).replace("export KUBECONFIG=", "");
  const { server: url = "" } = clientOf(kubeconfig).getCurrentCluster() ?? {};
  assert.equal(await answers(url), true);

  starter.kill("SIGKILL");
  await once(starter, "exit");
  const deadline = performance.now() + 5_000;
  while ((await answers(url)) && performance.now() < deadline) await sleep(20);
  assert.equal(await answers(url), false);

  assert.equal(existsSync(kubeconfig), true);
  await (await startApiServer()).stop();
  assert.equal(existsSync(kubeconfig), false);
});

test("an API server that cannot start says why, and leaves nothing", { skip }, async () => {
  await assert.rejects(
    startApiServer({ flags: ["--no-such-flag"] }),
    /kube-apiserver ended at once \(exit status 1\)\. The end of its log:\n.*unknown flag: --no-such-flag/s,
  );
});
