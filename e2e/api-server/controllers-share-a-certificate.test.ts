import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "node:tls";
import { PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import { apiServer, lacking } from "../cluster/given.ts";
import { install } from "./controller-installation.ts";
import { lackingHelm } from "./controller-rules.ts";
import { createPods } from "./pod-load.ts";
import { readiness } from "./service-front.ts";
import { until } from "./until.ts";

const skip = lacking || lackingHelm();

function servedBy(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? "none");
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

test("two controllers that find an empty Secret serve one certificate; then the guards guard, the conveniences do not", {
  skip,
}, async () => {
  await using installation = await install(await apiServer());
  const replicas = await Promise.all([installation.replica(), installation.replica()]);
  await until(
    "both are ready",
    () => Promise.all(replicas.map(({ port }) => readiness(port))),
    (found) => found.every(({ status }) => status === 200),
  );
  const [one, other] = await Promise.all(replicas.map(({ port }) => servedBy(port)));
  assert.equal(one, other);
  const made = replicas.flatMap(({ lines }) =>
    lines.filter(({ message }) => message === "certificate: the first one is made"),
  );
  assert.equal(made.length, 1);

  const entries = await until(
    "the guards guard",
    installation.entries,
    (found) =>
      found
        .filter(({ name }) => name !== "all.workloads.sallyport.dev")
        .every(({ failurePolicy }) => failurePolicy === "Fail"),
    60,
  );
  assert.equal(entries.length, 3);
  const workloads = entries.find(({ name }) => name === "all.workloads.sallyport.dev");
  assert.equal(workloads?.failurePolicy, "Ignore");
  assert.equal(new Set(entries.map(({ clientConfig }) => clientConfig.caBundle)).size, 1);

  await using load = createPods(installation, 20);
  await load.more(10);
  assert.deepEqual((await load.stop()).failures, []);
});

test("a controller that has nothing to serve with yet says so, and does when another has made it", {
  skip,
}, async () => {
  await using installation = await install(await apiServer());
  const { api, name } = installation;
  const held = (holderIdentity: string) =>
    api.coordination.patchNamespacedLease(
      { namespace: name, name, body: { spec: { holderIdentity, leaseDurationSeconds: 15 } } },
      setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
    );
  await held("somebody-else");
  const replica = await installation.replica();
  assert.deepEqual(await readiness(replica.port), {
    status: 503,
    text: `Secret ${name}/${name} cannot be used: it holds no certificate\n`,
  });
  assert.ok((await installation.entries()).every((entry) => entry.failurePolicy === "Ignore"));
  await held("");
  await until(
    "it is ready",
    () => readiness(replica.port),
    ({ status }) => status === 200,
  );
});
