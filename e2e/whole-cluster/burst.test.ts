import assert from "node:assert/strict";
import { test } from "node:test";
import type { V1Pod } from "@kubernetes/client-node";
import { idle } from "./support/containers.ts";
import { controllerPods, SYSTEM } from "./support/controllers.ts";
import { type Creation, createPod, failedOf, summaryOf } from "./support/creations.ts";
import { lacking } from "./support/given.ts";
import { apply, kubectl, list } from "./support/kubectl.ts";
import { latenciesOf, tableOf } from "./support/latencies.ts";
import { deployment, INJECTED } from "./support/objects.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { hasSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { between, webhookHistograms } from "./support/webhook-metrics.ts";

const skip = lacking;
const guarded = ownNamespace("burst", ENABLED);
const unguarded = ownNamespace("burst-unlabelled");
const PODS = 200;

test(`${PODS} pods of a ReplicaSet at once are all admitted, each with its sidecar`, {
  skip,
}, async (t) => {
  const before = await webhookHistograms();
  const since = new Date();
  const start = performance.now();
  // No node has the label: the pods are admitted and wait.
  const spec = { containers: [idle()], nodeSelector: { "nobody.example/has": "this" } };
  const crowd = deployment("crowd", spec, INJECTED);
  await apply(guarded, { ...crowd, spec: { ...(crowd.spec as object), replicas: PODS } });
  const pods = () => list<V1Pod>(guarded, "pods", "app=crowd");
  await until(`${PODS} pods`, async () => (await pods()).length === PODS);
  const seconds = (performance.now() - start) / 1_000;

  assert.ok((await pods()).every(hasSidecar));
  const failures = await list<{ reason?: string }>(guarded, "events");
  assert.deepEqual(
    failures.filter(({ reason }) => reason === "FailedCreate"),
    [],
  );
  const after = await webhookHistograms();
  const told = await ownDurations(since);
  const rows = {
    "API server: enabled.pods (bucket bounds)": between(
      before,
      after,
      "enabled.pods.sallyport.dev",
    ),
    "API server: enabled.final-pods (bucket bounds)": between(
      before,
      after,
      "enabled.final-pods.sallyport.dev",
    ),
    "controller: pods": latenciesOf(told.pods ?? []),
    "controller: final-pods": latenciesOf(told["final-pods"] ?? []),
  };
  t.diagnostic(`${PODS} pods in ${seconds.toFixed(1)} s\n${tableOf(rows)}`);
  const first = rows["API server: enabled.pods (bucket bounds)"];
  assert.ok(first.count >= PODS, `${first.count} calls`);
  await kubectl("delete", "deployment/crowd", "-n", guarded);
});

/** So many times: a machine that is busy with something else is not busy each time. */
const ROUNDS = 11;

test("twenty creations at once are each answered within a second", { skip }, async (t) => {
  const rounds = async (namespace: string) => {
    const all: Creation[][] = [];
    for (let round = 0; round < ROUNDS; round++)
      all.push(await Promise.all(Array.from({ length: 20 }, () => createPod(namespace))));
    assert.equal(failedOf(all.flat()).length, 0, summaryOf(all.flat()));
    assert.ok(all.flat().every(({ injected }) => injected === (namespace === guarded)));
    return all.map((round) => round.map(({ ms }) => ms));
  };
  const told = { "with a sidecar": await rounds(guarded), without: await rounds(unguarded) };
  const each = Object.entries(told).map(([what, all]) => [what, latenciesOf(all.flat())]);
  t.diagnostic(tableOf(Object.fromEntries(each)));
  for (const all of Object.values(told)) {
    const slowest = latenciesOf(all.map((round) => Math.max(...round)));
    assert.ok(
      slowest.p50 < 1_000,
      `${Math.round(slowest.p50)} ms, in the middle of ${ROUNDS} rounds`,
    );
  }
});

/** What the controllers' logs tell of their own part, by webhook. */
async function ownDurations(since: Date): Promise<Partial<Record<string, number[]>>> {
  const told: Partial<Record<string, number[]>> = {};
  for (const { metadata } of await controllerPods()) {
    const log = await kubectl(
      ...["logs", metadata?.name ?? "", "-n", SYSTEM, `--since-time=${since.toISOString()}`],
    );
    for (const line of log.split("\n").filter(Boolean)) {
      const { message, webhook, ms, namespace } = JSON.parse(line);
      if (message === "admission" && namespace === guarded)
        told[webhook] = [...(told[webhook] ?? []), ms];
    }
  }
  return told;
}
