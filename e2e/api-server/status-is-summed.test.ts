import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import { connect } from "@sallyport/controller/kubernetes/client";
import type { PodRef } from "@sallyport/controller/rules/snapshots";
import { statusApi } from "@sallyport/controller/status/status-api";
import type { EgressBoundaryStatus } from "@sallyport/core/status";
import { lackingApiServer } from "../cluster/api-server.ts";
import { tls } from "./knowledge-bed.ts";
import { INSTALL, row, type StatusBed, type StatusReplica, startStatusBed } from "./status-bed.ts";
import { until } from "./until.ts";

const skip = lackingApiServer();
const options = { skip };
let bed: StatusBed;
let one: StatusReplica;
let two: StatusReplica;
const pods: PodRef[] = [];

before(async () => {
  if (skip) return;
  bed = await startStatusBed();
  await bed.bed.namespace("shop");
  await bed.bed.namespace("bank");
  for (let i = 1; i <= 3; i++) pods.push(await bed.bed.pod("shop", `web-${i}`, { app: "web" }));
  one = await bed.replica("controller-1");
  two = await bed.replica("controller-2");
  one.leading = true;
});
after(() => bed?.[Symbol.asyncDispose]());

const ruleStatus = async (name: string) => (await bed.status("egressrules", name, "shop")).status;
const settled = (name: string, isSo: (status: EgressBoundaryStatus) => boolean, seconds = 90) =>
  until(`the status of ${name}`, () => ruleStatus(name), isSo, seconds);
const condition = ({ conditions = [] }: EgressBoundaryStatus, type: string) => {
  const found = conditions.find((each) => each.type === type);
  return `${found?.status} ${found?.reason}`;
};
const numbers = ({ matchedPods, appliedPods, allowed, refused }: EgressBoundaryStatus) =>
  [matchedPods, appliedPods, allowed, refused].join(" ");
const readyFor = async (replica: StatusReplica, pod: PodRef, name: string) => {
  await until(
    `${replica.identity} knows ${name}`,
    async () => replica.knowledge.of(pod)?.compiled?.origins.map((origin) => origin.name),
    (names) => names?.includes(name) === true,
  );
};
const troubles = (replica: StatusReplica) =>
  replica.lines.filter((line) => !line.startsWith("debug"));

test(
  "two controllers' sidecars and decisions are summed up by whoever leads",
  options,
  async () => {
    const [first, second, third] = pods as [PodRef, PodRef, PodRef];
    await bed.bed.rule("shop", "payments", {
      selector: { matchLabels: { app: "web" } },
      to: [tls("api.example.com")],
    });
    for (const replica of [one, two]) await readyFor(replica, first, "payments");
    const before = await settled("payments", ({ matchedPods }) => matchedPods === 3);
    assert.equal(condition(before, "Ready"), "False Applying");

    one.fleet.connect(first, one.knowledge);
    two.fleet.connect(second, two.knowledge);
    two.fleet.connect(third, two.knowledge, { problem: "spec: odd" });
    one.fleet.report(first, row({ rule: "shop/payments", count: 5 }));
    const refusal = row({ verdict: "deny", reason: "denied.no_rule", nearest: "shop/payments" });
    two.fleet.report(second, row({ rule: "shop/payments", count: 2 }), refusal);
    const behind = await settled("payments", (status) => numbers(status) === "3 2 7 1");
    assert.equal(condition(behind, "Accepted"), "True Accepted");
    assert.match(
      behind.conditions?.find(({ type }) => type === "Ready")?.message ?? "",
      /^1 of 3 pods has not applied it: 1 connected and behind: web-3 \(cannot use it: spec: odd\)$/,
    );

    two.fleet.connect(third, two.knowledge);
    const ready = await settled(
      "payments",
      (status) => condition(status, "Ready") === "True Applied",
    );
    assert.equal(numbers(ready), "3 3 7 1");
    assert.equal(ready.observedGeneration, 1);
    const { managers } = await bed.status("egressrules", "payments", "shop");
    assert.deepEqual(managers, ["controller-1", "controller-2", "sallyport-leader"]);
  },
);

test("a rule that is changed has been applied by nobody until they say so", options, async () => {
  const [first] = pods as [PodRef];
  await bed.bed.changeRule("shop", "payments", {
    spec: { to: [tls("api.example.com", "b.example.com")] },
  });
  const changed = await settled("payments", ({ observedGeneration }) => observedGeneration === 2);
  assert.equal(changed.matchedPods, 3);
  await settled("payments", (status) => numbers(status) === "3 0 7 1");
  one.fleet.connect(first, one.knowledge);
  await settled("payments", (status) => numbers(status) === "3 1 7 1");
});

test(
  "a rule for no pod, one that a boundary refuses, and the boundary itself say so",
  options,
  async () => {
    await bed.bed.rule("shop", "nobody", {
      selector: { matchLabels: { app: "wbe" } },
      to: [tls("api.example.com")],
    });
    const nobody = await settled(
      "nobody",
      (status) => condition(status, "Ready") === "False NoPods",
    );
    assert.equal(nobody.matchedPods, 0);

    await bed.bed.boundary("production", {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "shop" } },
      allow: [tls("other.example.com")],
    });
    const refused = await settled(
      "payments",
      (status) => condition(status, "Accepted") === "False Refused",
    );
    const { message } = refused.conditions?.find(({ type }) => type === "Accepted") ?? {};
    assert.match(
      message ?? "",
      /spec\.to\[0\]\.hosts\[0\]: api\.example\.com, port 443 \(tls\): boundary production/,
    );
    const boundary = await until(
      "the boundary's status",
      async () => (await bed.status("egressboundaries", "production")).status,
      ({ matchedPods }) => matchedPods === 3,
    );
    assert.equal(boundary.matchedNamespaces, 1);
    assert.doesNotMatch(JSON.stringify(boundary), /shop|web-/, "it names no namespace and no pod");
    await bed.bed.removeBoundary("production");
    await settled("payments", (status) => condition(status, "Accepted") === "True Accepted");
  },
);

test("a new leader goes on where the last one was, as the same writer", options, async () => {
  const before = await ruleStatus("payments");
  one.leading = false;
  two.leading = true;
  const [, second] = pods as [PodRef, PodRef];
  two.fleet.report(second, row({ rule: "shop/payments", count: 10 }));
  const later = await settled("payments", ({ allowed }) => allowed === 17);
  const { managers } = await bed.status("egressrules", "payments", "shop");
  assert.deepEqual(managers, ["controller-1", "controller-2", "sallyport-leader"]);
  const times = ({ conditions = [] }: EgressBoundaryStatus) =>
    conditions.filter(({ type }) => type === "Ready").map((each) => each.lastTransitionTime);
  assert.deepEqual(times(later), times(before), "what says the same keeps its time");
});

test(
  "what a controller that ended has counted stays, and its sidecars are its no more",
  options,
  async () => {
    const [first] = pods as [PodRef];
    await settled("payments", ({ appliedPods }) => appliedPods === 1);
    one.fleet.report(first, row({ rule: "shop/payments", count: 4 }));
    await one.stop();
    const folded = await settled("payments", ({ past }) => past !== undefined);
    assert.deepEqual(folded.past, { allowed: 9, refused: 0 }, "the last of it, too");
    assert.deepEqual(
      folded.replicas?.map(({ name }) => name),
      ["controller-2"],
    );
    const after = await settled("payments", ({ appliedPods }) => appliedPods === 0);
    assert.equal(after.allowed, 21);
    const { managers } = await bed.status("egressrules", "payments", "shop");
    assert.ok(!managers.includes("controller-1"), `${managers}`);
    one = await bed.replica("controller-3");
    await readyFor(one, first, "payments");
  },
);

test("one that was killed is noticed by its silence", options, async () => {
  const api = connect(bed.bed.server.kubeconfig);
  const [known] = [...two.knowledge.rules()].filter(({ name }) => name === "payments");
  if (!known) throw new Error("no rule");
  const share = { name: "killed", appliedPods: 1, allowed: 100, refused: 10 };
  const body = { data: { killed: "once" } };
  const merge = { namespace: INSTALL, name: "sallyport-replicas" };
  await api.core.patchNamespacedConfigMap(
    { ...merge, body },
    setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
  );
  await statusApi(api).apply(known, "killed", { replicas: [share] });
  await settled("payments", ({ allowed, appliedPods }) => allowed === 121 && appliedPods === 1);
  const folded = await settled("payments", ({ past }) => past?.allowed === 109);
  assert.equal(folded.past?.refused, 10);
  await settled("payments", ({ appliedPods }) => appliedPods === 0);
  await until(
    "the list of replicas",
    async () => Object.keys((await api.core.readNamespacedConfigMap(merge)).data ?? {}).sort(),
    (names) => names.join() === "controller-2,controller-3",
  );
});

test(
  "a controller that could not say for a while that it is there counts on under another name, and nothing twice",
  options,
  async () => {
    const [first] = pods as [PodRef];
    one.fleet.report(first, row({ rule: "shop/payments", count: 1_000 }));
    await settled("payments", ({ allowed }) => allowed === 1_121);
    one.away(true);
    one.fleet.report(first, row({ rule: "shop/payments", count: 200 }));
    await settled("payments", ({ past }) => past?.allowed === 1_109);
    one.away(false);
    const after = await settled("payments", ({ allowed }) => allowed === 1_321);
    const names = after.replicas?.map(({ name }) => name);
    assert.deepEqual(names?.sort(), ["controller-2", "controller-3.2"]);
    await sleep(1_500);
    assert.equal((await ruleStatus("payments")).allowed, 1_321);
  },
);

test(
  "many who write one object at once lose nothing, and nobody has to try again",
  options,
  async () => {
    const [first] = pods as [PodRef];
    await bed.bed.rule("shop", "busy", { to: [tls("busy.example.com")] });
    const crowd = await Promise.all(
      ["a", "b", "c", "d"].map((name) => bed.replica(`crowd-${name}`)),
    );
    for (const replica of crowd) await readyFor(replica, first, "busy");
    for (let i = 0; i < 30; i++) {
      for (const replica of crowd)
        replica.fleet.report(
          first,
          row({ rule: "shop/busy", count: 3 }),
          row({ verdict: "deny", reason: "denied.no_rule", nearest: "shop/busy" }),
        );
      await sleep(100);
    }
    const [gone, ...rest] = crowd as [StatusReplica, ...StatusReplica[]];
    const all = await settled("busy", ({ allowed }) => allowed === 360);
    assert.equal(all.refused, 120);
    await gone.stop();
    await settled("busy", ({ past }) => past?.allowed === 90);
    assert.equal((await ruleStatus("busy")).allowed, 360);
    for (const replica of crowd) assert.deepEqual(troubles(replica), []);
    await Promise.all(rest.map((each) => each.stop()));
    await settled("busy", ({ past }) => past?.allowed === 360);
  },
);

test("a rule that is made anew begins at nothing", options, async () => {
  const [first] = pods as [PodRef];
  await bed.bed.removeRule("shop", "busy");
  await until(
    "that it is gone",
    async () => [...two.knowledge.rules()].map(({ name }) => name),
    (names) => !names.includes("busy"),
  );
  await bed.bed.rule("shop", "busy", { to: [tls("busy.example.com")] });
  await readyFor(two, first, "busy");
  const api = connect(bed.bed.server.kubeconfig);
  const late = { name: "controller-2", appliedPods: 1, allowed: 50, refused: 0 };
  const busy = { kind: "EgressRule", namespace: "shop", name: "busy" } as const;
  await statusApi(api).apply(busy, "controller-2", { replicas: [late] });
  const empty = await settled("busy", ({ replicas }) => replicas?.[0]?.allowed === 0);
  assert.equal(
    empty.past,
    undefined,
    "what was written late, meant for the one before, is taken back",
  );
  two.fleet.report(first, row({ rule: "shop/busy" }));
  const status = await settled("busy", ({ allowed }) => allowed === 1);
  assert.equal(status.past, undefined);
});

test("nobody needed more rights than the chart gives", options, () => {
  for (const replica of [one, two])
    assert.deepEqual(
      replica.lines.filter((line) => /forbidden/i.test(line)),
      [],
    );
});
