import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { hostname } from "node:os";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { EventsV1Event } from "@kubernetes/client-node";
import { connect, type KubernetesApi } from "@sallyport/controller/kubernetes/client";
import type { PodRef } from "@sallyport/controller/rules/snapshots";
import { PACE } from "@sallyport/controller/status/pace";
import { TELLING } from "@sallyport/controller/status/refusal-events";
import { lackingApiServer } from "../cluster/api-server.ts";
import { tls } from "./knowledge-bed.ts";
import {
  INSTALL,
  QUICK,
  row,
  type StatusBed,
  type StatusReplica,
  startStatusBed,
} from "./status-bed.ts";
import { until } from "./until.ts";

const skip = lackingApiServer();
const options = { skip };
let bed: StatusBed;
let api: KubernetesApi;
let replica: StatusReplica;
let web: PodRef;

before(async () => {
  if (skip) return;
  bed = await startStatusBed();
  api = connect(bed.bed.server.kubeconfig);
  await bed.bed.namespace("shop");
  web = await bed.bed.pod("shop", "web-1");
  replica = await bed.replica("controller-1", {
    times: { ...QUICK, telling: { ...TELLING, againMs: 500 } },
  });
});
after(() => bed?.[Symbol.asyncDispose]());

const refusal = (name: string, more = {}) =>
  row({ verdict: "deny", reason: "denied.no_rule", name, nearest: "shop/payments", ...more });
const refusals = async (namespace: string) =>
  (await api.events.listNamespacedEvent({ namespace })).items.filter(
    ({ reason }) => reason === "EgressRefused",
  );
const some = (namespace: string, isSo: (events: EventsV1Event[]) => boolean) =>
  until(`events in ${namespace}`, () => refusals(namespace), isSo);

test("a refusal is an Event at its pod, and the same again is counted there", options, async () => {
  for (let i = 0; i < 20; i++) {
    replica.fleet.report(web, refusal("api.example.com", { count: 5 }));
    await sleep(100);
  }
  const [event, ...others] = await some("shop", ([first]) => first?.series?.count === 100);
  assert.deepEqual(others, []);
  assert.equal(
    event?.note,
    "refused api.example.com:443 (denied.no_rule): no rule permits it; nearest is shop/payments",
  );
  const { kind, name, uid } = event?.regarding ?? {};
  assert.deepEqual([kind, name, uid, event?.type], ["Pod", "web-1", web.uid, "Warning"]);
  const described = execFileSync(
    "kubectl",
    ["--kubeconfig", bed.bed.server.kubeconfig, "describe", "pod", "web-1", "-n", "shop"],
    { encoding: "utf8" },
  );
  assert.match(
    described,
    /Warning +EgressRefused .*\(x100 over .*sallyport-controller +refused api\.example\.com:443/,
  );
});

test(
  "another controller counts on in the same Event, and one that was forgotten begins again",
  options,
  async () => {
    const other = await bed.replica("controller-2");
    other.fleet.report(web, refusal("api.example.com", { count: 7 }));
    const [event] = await some("shop", ([first]) => first?.series?.count === 107);
    const name = event?.metadata?.name ?? "";
    await api.events.deleteNamespacedEvent({ namespace: "shop", name });
    replica.fleet.report(web, refusal("api.example.com"));
    const [again] = await some("shop", ({ length }) => length === 1);
    assert.equal(again?.metadata?.name, name);
    assert.equal(again?.series, undefined, "once is no series");
    await other.stop();
  },
);

test("what failed, and what audit mode let pass, is no refusal", options, async () => {
  const before = (await refusals("shop")).length;
  replica.fleet.report(
    web,
    row({ verdict: "deny", reason: "failed.dns", name: "gone.example.com" }),
    row({ reason: "allowed.audit", would_be: "denied.no_rule", name: "audit.example.com" }),
  );
  await sleep(2_000);
  assert.equal((await refusals("shop")).length, before);
});

test("an Event is in its pod's namespace, and speaks of no other", options, async () => {
  await bed.bed.namespace("bank");
  const vault = await bed.bed.pod("bank", "vault-1");
  replica.fleet.report(vault, refusal("api.example.com", { nearest: "shop/payments" }));
  const [event] = await some("bank", ({ length }) => length === 1);
  assert.doesNotMatch(JSON.stringify(event), /shop/);
});

test("an Event for a namespace that is ending troubles nobody", options, async () => {
  await bed.bed.namespace("ending");
  const last = await bed.bed.pod("ending", "last-1");
  await api.core.deleteNamespace({ name: "ending" });
  replica.fleet.report(last, refusal("api.example.com"));
  await sleep(2_000);
  assert.deepEqual(
    replica.lines.filter((line) => !line.startsWith("debug")),
    [],
  );
});

test(
  "a flood of reports, ten thousand rows a second, leads to a bounded number of writes",
  options,
  async () => {
    await replica.stop();
    await bed.bed.namespace("flood");
    const pods: PodRef[] = [];
    for (let i = 0; i < 20; i++) pods.push(await bed.bed.pod("flood", `web-${i}`));
    for (let i = 0; i < 100; i++)
      await bed.bed.rule("flood", `rule-${i}`, { to: [tls(`a${i}.example.com`)] });
    const flooded = await bed.replica("controller-3", { times: {} });
    flooded.leading = true;
    await until(
      "the rules",
      async () => [...flooded.knowledge.rules()].filter(({ namespace }) => namespace === "flood"),
      ({ length }) => length === 100,
    );
    const before = await writes();
    const began = performance.now();
    let rows = 0;
    for (let tick = 0; tick < 50; tick++) {
      for (const [p, pod] of pods.entries()) {
        const list = Array.from({ length: 50 }, (_, i) => {
          const rule = `flood/rule-${(50 * p + i) % 100}`;
          return i % 2 === 0
            ? row({ rule })
            : refusal(`${tick}-${i}.example.com`, { nearest: rule });
        });
        rows += list.length;
        flooded.fleet.report(pod, ...list);
      }
      await sleep(Math.max(0, began + (tick + 1) * 100 - performance.now()));
    }
    await sleep(1_000);
    const seconds = (performance.now() - began) / 1_000;
    const done = await writes();
    const statuses = done.statuses - before.statuses;
    const events = done.events - before.events;
    assert.equal(rows, 50_000);
    // Of its own entries and, as it leads, of the sums.
    const mostStatuses = 2 * (PACE.burst + PACE.perSecond * seconds);
    assert.ok(
      statuses > 20 && statuses <= mostStatuses,
      `${statuses} writes of status in ${seconds} s`,
    );
    // One that is there already is read and counted up.
    const mostEvents = 3 * (TELLING.burst + TELLING.perSecond * seconds);
    assert.ok(events > 10 && events <= mostEvents, `${events} writes of Events in ${seconds} s`);
    const sum = await until(
      "all that was permitted",
      async () => {
        const list = await Promise.all(
          Array.from({ length: 100 }, (_, i) => bed.status("egressrules", `rule-${i}`, "flood")),
        );
        return list.reduce(
          (total, { status: { allowed = 0, refused = 0 } }) => total + allowed + refused,
          0,
        );
      },
      (total) => total === rows,
      150,
    );
    assert.equal(sum, rows, "nothing is lost");
  },
);

test(
  "ranges that the installation has missed are an Event at the controllers' Deployment",
  options,
  async () => {
    const labels = { app: "controller" };
    const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "c" }] } };
    const spec = { selector: { matchLabels: labels }, template };
    const metadata = { name: "sallyport-controller" };
    const owner = (kind: string, { name = "", uid = "" }) => ({
      ownerReferences: [{ apiVersion: "apps/v1", kind, name, uid, controller: true }],
    });
    const deployment = await api.apps.createNamespacedDeployment({
      ...{ namespace: INSTALL, body: { metadata, spec } },
    });
    const set = await api.apps.createNamespacedReplicaSet({
      namespace: INSTALL,
      body: {
        metadata: {
          name: "sallyport-controller-1",
          ...owner("Deployment", deployment.metadata ?? {}),
        },
        spec,
      },
    });
    await api.core.createNamespacedPod({
      namespace: INSTALL,
      body: {
        metadata: { name: hostname(), ...owner("ReplicaSet", set.metadata ?? {}) },
        spec: { ...template.spec, serviceAccountName: "sallyport-controller" },
      },
    });
    const missing = await bed.replica("controller-4");
    const miss = "pod shop/web-1 has 10.9.0.1, which is in no range of the cluster";
    Object.assign(missing.knowledge, { misses: () => [miss] });
    missing.leading = true;
    const [event] = await until(
      "the event",
      async () => (await api.core.listNamespacedEvent({ namespace: INSTALL })).items,
      ({ length }) => length === 1,
    );
    assert.deepEqual(
      [event?.reason, event?.involvedObject.kind, event?.involvedObject.name, event?.message],
      ["ClusterRangesIncomplete", "Deployment", "sallyport-controller", miss],
    );
  },
);

/** As the API server counts them. */
async function writes(): Promise<{ statuses: number; events: number }> {
  const text = execFileSync(
    "kubectl",
    ["--kubeconfig", bed.bed.server.kubeconfig, "get", "--raw", "/metrics"],
    { encoding: "utf8", maxBuffer: 64 << 20 },
  );
  const sum = (pattern: RegExp) =>
    text
      .split("\n")
      .filter((line) => line.startsWith("apiserver_request_total{") && pattern.test(line))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" "))), 0);
  return {
    statuses: sum(/resource="egressrules".*subresource="status".*verb="(APPLY|PATCH|PUT)"/),
    events: sum(/resource="events".*verb="(APPLY|PATCH|POST|PUT)"/),
  };
}
