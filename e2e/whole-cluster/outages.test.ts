import assert from "node:assert/strict";
import { before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { V1Pod } from "@kubernetes/client-node";
import { idle } from "./support/containers.ts";
import {
  CONTROLLER,
  callBackControllers,
  controllerPods,
  controllersReplaced,
  killController,
  killControllers,
  SYSTEM,
  statusOf,
} from "./support/controllers.ts";
import { Creations, createPod, failedOf, summaryOf } from "./support/creations.ts";
import { lacking } from "./support/given.ts";
import { apply, kubectl, list, read } from "./support/kubectl.ts";
import { deployment, INJECTED } from "./support/objects.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { cannotKill } from "./support/sigkill.ts";
import { failedOf as failedRequests, Listener, Stream } from "./support/streams.ts";
import { until } from "./support/until.ts";
import { rolledOut } from "./support/waiting.ts";

const skip = lacking;
/** Until the kubelet has seen that a container has ended, and kube-proxy has heard of it. */
const STILL_SENT_MS = 3_000;
const guarded = ownNamespace("outages", ENABLED);
const unguarded = ownNamespace("outages-world");
const GUARD = /failed calling webhook "enabled\.pods\.sallyport\.dev"/;

let listener: Listener;
before(async () => {
  if (!skip) listener = await Listener.start(unguarded);
});

test("with both controllers killed, pods keep their traffic, no pod escapes its sidecar, nothing else stands still; and all is well as soon as they return", {
  skip: skip || cannotKill,
}, async (t) => {
  const stream = await Stream.start(guarded, { to: listener.url });
  const web = deployment("web", { containers: [idle()] });
  await apply(guarded, web);
  await rolledOut(guarded, "deployment/web");

  await killControllers();
  try {
    const before = (await stream.sent()).length;
    const { problem } = await createPod(guarded);
    assert.match(problem ?? "", GUARD);
    for (const namespace of [unguarded, "kube-system", SYSTEM])
      assert.equal((await createPod(namespace)).problem, undefined);

    // The Deployment can be changed; it is its new pods that wait for their sidecar.
    await kubectl("annotate", "deployment/web", "sallyport.dev/inject=true", "-n", guarded);
    await kubectl("set", "env", "deployment/web", "CHANGED=yes", "-n", guarded);
    await apply(guarded, deployment("late", { containers: [idle()] }, INJECTED));
    await kubectl("patch", "deployment/late", "-n", guarded, "--patch", INJECTED_TEMPLATE);
    await until("an event says which webhook refuses the pod", async () =>
      (await eventsOf(guarded, "FailedCreate")).some((message) => GUARD.test(message)),
    );
    await sleep(2_000);
    const during = (await stream.sent()).slice(before);
    assert.ok(during.length > 50, `${during.length} requests while nobody controls`);
  } finally {
    await callBackControllers();
  }

  const returnedMs = performance.now();
  await until("a pod can be created", async () => {
    const { problem, injected } = await createPod(guarded);
    return problem === undefined && injected;
  });
  const createdMs = performance.now() - returnedMs;
  await rolledOut(guarded, "deployment/late");
  const sent = await stream.sent();
  assert.deepEqual(failedRequests(sent), []);
  t.diagnostic(
    `${sent.length} requests, none failed; the first pod ${Math.round(createdMs)} ms after the controllers were back`,
  );
  assert.ok(createdMs < 10_000, `${createdMs} ms`);
});

test("a controller that is stopped in order costs no admission", { skip }, async (t) => {
  const load = new Creations({ namespaces: [guarded], atOnce: 8 });
  await load.more(50);
  const [first] = await controllerPods();
  await kubectl("delete", "pod", first?.metadata?.name ?? "", "-n", SYSTEM);
  await rolledOut(SYSTEM, CONTROLLER);
  await load.more(50);
  // Then all of them, one after the other.
  await kubectl("rollout", "restart", CONTROLLER, "-n", SYSTEM);
  await controllersReplaced();
  await load.more(50);
  const all = await load.end();
  t.diagnostic(summaryOf(all));
  assert.equal(failedOf(all).length, 0, summaryOf(all));
  assert.ok(all.every(({ injected }) => injected));
});

test("a controller that is killed costs the calls that it had, and for a moment those that are still sent to it", {
  skip: skip || cannotKill,
}, async (t) => {
  const load = new Creations({ namespaces: [guarded], atOnce: 8 });
  await load.more(200);
  const [victim] = await controllerPods();
  assert.ok(victim);
  const killedMs = performance.now();
  await killController(victim);
  await until("it is back", async () => {
    const pod = await read<V1Pod>(SYSTEM, "pod", victim.metadata?.name ?? "");
    const { ready, restartCount } = statusOf(pod, "controller");
    return ready && restartCount > statusOf(victim, "controller").restartCount;
  });
  const backMs = performance.now();
  await load.more(200);
  const all = await load.end();
  const failed = failedOf(all);
  const lastMs = Math.max(0, ...failed.map(({ atMs }) => atMs - killedMs));
  t.diagnostic(
    `${summaryOf(all)}\nthe last of them ${Math.round(lastMs)} ms after the kill; it was back after ${Math.round(backMs - killedMs)} ms`,
  );
  // How many depends on how fast the callers are; that it is over as soon as the cluster knows does not.
  assert.ok(lastMs < STILL_SENT_MS, summaryOf(all));
  assert.ok(all.filter(({ atMs }) => atMs > killedMs + STILL_SENT_MS).length > 100);
});

/** What `kubectl annotate` cannot carry while nobody answers. */
const INJECTED_TEMPLATE = JSON.stringify({
  spec: { template: { metadata: { annotations: INJECTED } } },
});

async function eventsOf(namespace: string, reason: string): Promise<string[]> {
  const events = await list<{ reason?: string; message?: string }>(namespace, "events");
  return events.filter((event) => event.reason === reason).map(({ message }) => message ?? "");
}
