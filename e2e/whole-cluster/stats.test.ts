import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { V1Pod } from "@kubernetes/client-node";
import { app, idle } from "./support/containers.ts";
import { lacking as skip } from "./support/given.ts";
import { apply, kubectl, list } from "./support/kubectl.ts";
import { deployment, INJECTED, pod } from "./support/objects.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { sallyport } from "./support/sallyport.ts";
import { Listener } from "./support/streams.ts";
import { until } from "./support/until.ts";
import { rolledOut, waitFor } from "./support/waiting.ts";

const namespace = ownNamespace("stats", ENABLED);
const world = ownNamespace("stats-world");
const stats = (...args: readonly string[]) => sallyport("stats", ...args, "-n", namespace);

let web: string;
before(async () => {
  if (skip) return;
  const { url } = await Listener.start(world);
  const spec = { containers: [app("app", "stream-main", url, "50")] };
  await apply(
    namespace,
    deployment("web", spec, INJECTED),
    pod("bare", { containers: [idle()] }, { "sallyport.dev/inject": "false" }),
  );
  await rolledOut(namespace, "deployment/web");
  await waitFor(namespace, "pod/bare", "condition=Ready");
  const [first] = await list<V1Pod>(namespace, "pods", "app=web");
  web = first?.metadata?.name ?? "";
});

/** Of the text form: connections that the sidecar has taken. */
const taken = (text: string) =>
  Number(/^listener\.0\.0\.0\.0_15001\.downstream_cx_total: (\d+)$/m.exec(text)?.[1]);

test("sallyport stats deployment/web shows what its pod's sidecar counts", { skip }, async () => {
  await until("the app has connected", async () => {
    const { stdout } = await stats("deployment/web");
    return taken(stdout) > 0;
  });
  const before = taken((await stats("deployment/web")).stdout);
  await until("it goes on", async () => taken((await stats("deploy/web")).stdout) > before);
});

test("sallyport stats POD, in each format, filtered, and another page", { skip }, async () => {
  const text = await stats(web);
  assert.deepEqual([text.status, text.stderr], [0, ""]);
  assert.ok(taken(text.stdout) > 0);
  const filtered = await stats(`pod/${web}`, "--filter", "^egress\\.");
  assert.match(filtered.stdout, /^(egress\.[\w.]+: \d+\n)+$/);
  const json = JSON.parse((await stats(web, "--format", "json")).stdout);
  assert.equal(typeof json, "object");
  const prometheus = await stats(web, "--format", "prometheus");
  assert.match(prometheus.stdout, /^# TYPE /m);
  const page = await stats(web, "--path", "/config_dump");
  assert.match(page.stdout, /"audit"/);
});

test("sallyport stats --all of a workload with two pods, and without it the choice is asked for", {
  skip,
}, async () => {
  await kubectl("scale", "deployment/web", "-n", namespace, "--replicas=2");
  await rolledOut(namespace, "deployment/web");
  const asked = await stats("deployment/web");
  assert.equal(asked.status, 2);
  assert.match(asked.stderr, /has 2 pods: give --all, or one of web-\S+, web-\S+/);
  const all = await stats("deployment/web", "--all");
  assert.equal(all.status, 0);
  assert.equal([...all.stdout.matchAll(/^# pod web-/gm)].length, 2);
});

for (const [what, target, said] of [
  ["a pod without a sidecar", "bare", /pod bare: it has no sidecar: .*sallyport\.dev\/inject/],
  ["a pod that there is not", "pod/nobody", /there is no pod nobody in namespace stats/],
  ["a workload that there is not", "nobody", /there is neither a pod nor a deployment nobody/],
] as const)
  test(`sallyport stats of ${what} says so, with status 1`, { skip }, async () => {
    const { status, stdout, stderr } = await stats(target);
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, said);
    assert.equal(stderr.trim().split("\n").length, 1);
  });
