import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { V1MutatingWebhookConfiguration, V1Pod } from "@kubernetes/client-node";
import { PROXY_CONFIG_ENV } from "@sallyport/proxy/contract";
import { api } from "./support/api.ts";
import { idle } from "./support/containers.ts";
import { SYSTEM } from "./support/controllers.ts";
import { Creations, createPod, failedOf, summaryOf } from "./support/creations.ts";
import { lacking } from "./support/given.ts";
import { CHART, givenValues, helm, RELEASE, revision } from "./support/helm.ts";
import { apply, kubectl, list } from "./support/kubectl.ts";
import { deployment, INJECTED, pod } from "./support/objects.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { PROXY } from "./support/sidecar.ts";
import { failedOf as failedRequests, Listener, Stream } from "./support/streams.ts";
import { until } from "./support/until.ts";
import { rolledOut } from "./support/waiting.ts";

const skip = lacking;
const labelled = ownNamespace("install-labelled", ENABLED);
const plain = ownNamespace("install-plain");

/** As the release is before this file runs, and after. */
let values: string;
let folder: string;
let stream: Stream;
before(async () => {
  if (skip) return;
  folder = await mkdtemp(join(tmpdir(), "sallyport-install-"));
  values = join(folder, "values.json");
  await writeFile(values, await givenValues());
  stream = await Stream.start(labelled, { to: (await Listener.start(plain)).url });
});
after(() => folder && rm(folder, { recursive: true }));

/** Pods are created in both namespaces all the while; each can be. */
async function whilePodsAreCreated(work: () => Promise<unknown>) {
  const namespaces = [labelled, plain];
  const load = new Creations({ namespaces, atOnce: 2, pauseMs: 50, stored: true });
  await load.more(20);
  try {
    await work();
    await load.more(20);
  } finally {
    await load.end();
  }
  assert.equal(failedOf(load.all).length, 0, summaryOf(load.all));
  return load.all;
}

/** The configuration of a sidecar, were it injected now. */
async function sidecarNow(): Promise<{ logLevel?: string }> {
  const asked = pod("asked", { containers: [idle()] }, INJECTED);
  const path = `/api/v1/namespaces/${labelled}/pods`;
  const { spec } = (await (await api()).post(path, asked as never, { dryRun: "All" })) as V1Pod;
  const proxy = spec?.initContainers?.find(({ name }) => name === PROXY);
  return JSON.parse(proxy?.env?.find(({ name }) => name === PROXY_CONFIG_ENV)?.value ?? "{}");
}

const guards = async () => {
  const { items } = JSON.parse(
    await kubectl(
      ...["get", "mutatingwebhookconfigurations,validatingwebhookconfigurations", "-o", "json"],
    ),
  ) as { items: V1MutatingWebhookConfiguration[] };
  return items
    .filter(({ metadata }) => metadata?.name === RELEASE)
    .flatMap(({ webhooks }) => webhooks ?? [])
    .filter(({ name }) => !name.includes(".workloads."));
};

const guarding = () =>
  until("every guard guards", async () => {
    const all = await guards();
    return all.length === 5 && all.every(({ failurePolicy }) => failurePolicy === "Fail");
  });

test("helm upgrade with other values: pods can be created at every moment, and get the new sidecar", {
  skip,
}, async (t) => {
  const before = await sidecarNow();
  const all = await whilePodsAreCreated(() =>
    helm(
      ...["upgrade", RELEASE, CHART, "--values", values, "--set", "injection.logLevel=debug"],
      ...["--wait", "--timeout", "3m"],
    ),
  );
  t.diagnostic(summaryOf(all));
  assert.ok(all.every(({ namespace, injected }) => injected === (namespace === labelled)));
  assert.equal((await sidecarNow()).logLevel, "debug");
  assert.notEqual(before.logLevel, "debug");
});

test("helm rollback: pods can be created at every moment, and get the old sidecar", {
  skip,
}, async (t) => {
  const all = await whilePodsAreCreated(async () => {
    await helm("rollback", RELEASE, String((await revision()) - 1), "--wait", "--timeout", "3m");
    // The chart's first revision lets pods pass while nobody answers; a controller that does closes that again.
    await guarding();
  });
  t.diagnostic(summaryOf(all));
  assert.ok(all.every(({ namespace, injected }) => injected === (namespace === labelled)));
  assert.notEqual((await sidecarNow()).logLevel, "debug");
});

test("helm uninstall: pods can be created at every moment, injected ones run on, and nothing is left", {
  skip,
}, async (t) => {
  const all = await whilePodsAreCreated(() => helm("uninstall", RELEASE, "--wait"));
  t.diagnostic(summaryOf(all));
  await until("nothing of the release is left", async () => (await leftOvers()).length === 0);
  assert.deepEqual(await guards(), []);
  const { injected, problem } = await createPod(labelled);
  assert.deepEqual({ injected, problem }, { injected: false, problem: undefined });
  const before = (await stream.sent()).length;
  await kubectl("delete", "namespace", SYSTEM, "--timeout=60s");
  await until("the injected pod goes on", async () => (await stream.sent()).length > before + 50);
});

test("the first helm install: pods can be created at every moment, those that were too early are reported, then each gets its sidecar", {
  skip,
}, async (t) => {
  await apply(labelled, deployment("early", { containers: [idle()] }));
  await kubectl(
    ...["patch", "deployment/early", "-n", labelled, "--patch"],
    JSON.stringify({ spec: { template: { metadata: { annotations: INJECTED } } } }),
  );
  await rolledOut(labelled, "deployment/early");

  let guardingMs = 0;
  const all = await whilePodsAreCreated(async () => {
    const installed = helm(
      ...["install", RELEASE, CHART, "--create-namespace", "--values", values],
      ...["--wait", "--timeout", "3m"],
    );
    await Promise.all([installed, guarding()]);
    guardingMs = performance.now();
  });
  t.diagnostic(summaryOf(all));
  const early = all.filter(({ namespace, injected }) => namespace === labelled && !injected);
  assert.ok(early.every(({ atMs }) => atMs < guardingMs));
  t.diagnostic(`${early.length} pods of the labelled namespace were too early for a sidecar`);

  await until("the sweep reports the Deployment whose pods were too early", async () => {
    const events = await list<Event>(labelled, "events");
    return events.some(
      ({ reason, involvedObject: { kind, name } }) =>
        reason === "SidecarMissing" && kind === "Deployment" && name === "early",
    );
  });
  const sent = await stream.sent();
  assert.deepEqual(failedRequests(sent), []);
  t.diagnostic(`${sent.length} requests of an injected pod through all of it, none failed`);
});

interface Event {
  readonly reason?: string;
  readonly involvedObject: { readonly kind: string; readonly name: string };
}

/** Whatever bears the chart's label or name, of whatever kind. */
async function leftOvers(): Promise<string[]> {
  const kinds = (await kubectl("api-resources", "--verbs=list", "-o", "name")).trim().split("\n");
  const own = kinds.filter((kind) => !/^(events|componentstatuses)(\.|$)/.test(kind)).join(",");
  const names = (text: string) => text.trim().split("\n").filter(Boolean);
  const labelledOnes = await kubectl(
    ...["get", own, "--all-namespaces", "-o", "name"],
    ...["-l", "app.kubernetes.io/part-of=sallyport"],
  );
  const clusterWide = await kubectl(...["get", "clusterroles,clusterrolebindings", "-o", "name"]);
  return [
    // The kinds stay, and every rule with them.
    ...names(labelledOnes).filter((name) => !name.startsWith("customresourcedefinition.")),
    ...names(clusterWide).filter((name) => name.includes("sallyport")),
  ];
}
