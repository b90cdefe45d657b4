import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { apiServer, lacking } from "../cluster/given.ts";
import { install } from "./controller-installation.ts";
import { lackingHelm } from "./controller-rules.ts";
import { createPods, guarded } from "./pod-load.ts";
import { readiness } from "./service-front.ts";
import { until } from "./until.ts";

const skip = lacking || lackingHelm();

test("with a certificate from files, too, a rollout from audit to enforce refuses no pod: whoever injects, whoever judges", {
  skip,
}, async () => {
  await using made = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "sallyport-rollout-"));
  made.defer(() => rmSync(folder, { recursive: true }));
  const configured = (mode: "audit" | "enforce") => {
    const file = join(folder, `${mode}.json`);
    writeFileSync(file, JSON.stringify({ policy: { mode } }));
    return ["--config", file];
  };

  const installation = made.use(await install(await apiServer(), "files"));
  const old = await installation.replica(configured("audit"));
  await guarded(installation);
  const replica = await installation.replica(configured("enforce"));
  await until(
    "the new one is ready",
    () => readiness(replica.port),
    ({ status }) => status === 200,
  );
  const load = made.use(createPods(installation, 20, "stored", 10));
  await until(
    "each injects and judges",
    async () =>
      [old, replica].flatMap(({ lines }) =>
        ["pods", "final-pods"].map(
          (each) => lines.filter(({ webhook }) => webhook === each).length,
        ),
      ),
    (answered) => Math.min(...answered) >= 10,
  );
  assert.equal(await old.end("SIGTERM"), 0);
  await load.more(10);
  assert.deepEqual((await load.stop()).failures, []);
});

test("a controller with a certificate from files is not ready before the key is there that all share, and says so", {
  skip,
}, async () => {
  await using installation = await install(await apiServer(), "files");
  const { api, name } = installation;
  const lease = await api.coordination.readNamespacedLease({ namespace: name, name });
  const spec = { holderIdentity: "somebody-else", leaseDurationSeconds: 15 };
  await api.coordination.replaceNamespacedLease({
    ...{ namespace: name, name },
    body: { ...lease, spec },
  });
  const replica = await installation.replica();
  assert.deepEqual(await readiness(replica.port), {
    status: 503,
    text: `Secret ${name}/${name} holds no seal.key yet\n`,
  });
  const secret = await api.core.readNamespacedSecret({ namespace: name, name });
  await api.core.replaceNamespacedSecret({
    ...{ namespace: name, name },
    body: { ...secret, data: { "seal.key": Buffer.alloc(32, 7).toString("base64") } },
  });
  await until(
    "it is ready",
    () => readiness(replica.port),
    ({ status }) => status === 200,
  );
});

test("a controller with a certificate from files serves where the Secret of the key is gone, and says what that means", {
  skip,
}, async () => {
  await using installation = await install(await apiServer(), "files");
  const { api, name } = installation;
  installation.expectForbidden();
  await api.core.deleteNamespacedSecret({ namespace: name, name });
  const replica = await installation.replica();
  await replica.line(`Secret ${name}/${name} does not exist: while controllers are replaced`);
  assert.equal((await readiness(replica.port)).status, 200);
  await replica.line("give the ServiceAccount create on it");
});
