import assert from "node:assert/strict";
import { test } from "node:test";
import { PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import { apiServer, lacking } from "../cluster/given.ts";
import { type Installation, install } from "./controller-installation.ts";
import { lackingHelm } from "./controller-rules.ts";
import { createPods, guarded } from "./pod-load.ts";

const skip = lacking || lackingHelm();
const base64 = (text: string) => Buffer.from(text).toString("base64");

async function serving(): Promise<Installation> {
  const installation = await install(await apiServer());
  await installation.replica(["--certificate-settling", "2s", "--certificate-overlap", "7s"]);
  await installation.replica(["--certificate-settling", "2s", "--certificate-overlap", "7s"]);
  await guarded(installation);
  return installation;
}

for (const [what, patch] of [
  ["emptied", [{ op: "remove", path: "/data" }]],
  ["filled with garbage", [{ op: "replace", path: "/data/tls.crt", value: base64("garbage") }]],
  ["robbed of its key", [{ op: "remove", path: "/data/tls.key" }]],
  ["given another's CA", [{ op: "replace", path: "/data/ca.crt", value: base64("none") }]],
] as const)
  test(`when the Secret is ${what}, what it held is served on and a new certificate follows: no admission fails`, {
    skip,
  }, async () => {
    await using installation = await serving();
    const { api, name } = installation;
    await using load = createPods(installation, 25);
    await load.more(20);
    const before = await api.core.readNamespacedSecret({ namespace: name, name });
    await api.core.patchNamespacedSecret(
      { namespace: name, name, body: patch },
      setHeaderOptions("Content-Type", PatchStrategy.JsonPatch),
    );
    await Promise.any(
      installation.started.map((one) => one.line("the next one is served from now on", 60)),
    );
    await load.more(150); // replicas look every five seconds
    assert.deepEqual((await load.stop()).failures, []);
    const after = await api.core.readNamespacedSecret({ namespace: name, name });
    // The key that signs sidecars has nothing to do with it: one that is still there stays.
    const stays = (key: string) => key === "seal.key" && what !== "emptied";
    for (const key of ["tls.crt", "tls.key", "seal.key"]) {
      assert.ok(after.data?.[key], key);
      assert.equal(after.data[key] === before.data?.[key], stays(key), key);
    }
  });

test("when the Secret is deleted nobody may make it anew: all is served on, the log says so, and it is filled when it is back", {
  skip,
}, async () => {
  await using installation = await serving();
  installation.expectForbidden();
  const { api, name } = installation;
  await using load = createPods(installation, 25);
  await api.core.deleteNamespacedSecret({ namespace: name, name });
  const { message } = await Promise.any(
    installation.started.map((one) => one.line("cannot create Secret", 60)),
  );
  assert.match(message, new RegExp(`^cannot create Secret ${name}/${name}: .*forbidden`));
  await load.more(50);
  await api.core.createNamespacedSecret({ namespace: name, body: { metadata: { name } } });
  await Promise.any(
    installation.started.map((one) => one.line("the next one is served from now on", 60)),
  );
  await load.more(50);
  assert.deepEqual((await load.stop()).failures, []);
});
