import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startApiServer } from "../cluster/api-server.ts";
import { lackingOwnBed, startWebhookBed } from "./webhook-bed.ts";

/** As the threat model shows it. */
const DOCUMENT = join(import.meta.dirname, "../../docs/threat-model.md");
const [, POLICY = ""] = /```yaml\n(.*?ValidatingAdmissionPolicy.*?)\n *```/s.exec(
  readFileSync(DOCUMENT, "utf8"),
) ?? [undefined];

test("the policy of the threat model keeps everybody out of the sidecar, and nobody out of the app", {
  skip: lackingOwnBed,
}, async () => {
  // Of its own: what it forbids, it forbids everywhere.
  await using server = await startApiServer();
  await using bed = await startWebhookBed({ server });
  const namespace = await bed.namespace("all");
  await bed.core.createNamespacedPod({
    namespace,
    body: { metadata: { name: "web" }, spec: { containers: [{ name: "app", image: "app" }] } },
  });
  const applied = await bed.kubectl(["apply", "-f", "-"], POLICY.replaceAll(/^ {2}/gm, ""));
  assert.equal(applied.status, 0, applied.stderr);

  const exec = async (container: string) =>
    (await bed.kubectl(["exec", "web", "-n", namespace, "-c", container, "--", "x"])).stderr;
  const deadline = performance.now() + 20_000;
  let said = "";
  while (!/denied request: the sidecar's containers are not for exec/.test(said)) {
    assert.ok(performance.now() < deadline, said);
    await sleep(100);
    said = await exec("sallyport-proxy");
  }
  assert.match(await exec("sallyport-init"), /denied request/);
  // Nobody runs this pod.
  assert.match(await exec("app"), /does not have a host assigned/);
});
