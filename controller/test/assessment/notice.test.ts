import assert from "node:assert/strict";
import { test } from "node:test";
import type { Assessment } from "@sallyport/controller/assessment/assessment";
import { noticesOf } from "@sallyport/controller/assessment/notice";
import {
  controllerOf,
  isGoBetween,
  type Owner,
  ownerOfPod,
} from "@sallyport/controller/assessment/owner";
import { carryingRemedy, remedyOf } from "@sallyport/controller/assessment/remedy";
import { RollUp } from "@sallyport/controller/assessment/roll-up";

const owner = (kind: string, name = "web"): Owner => ({
  ...{ apiVersion: "apps/v1", kind, namespace: "shop", name },
  uid: `uid-of-${name}`,
});
const MISSED: Assessment = { state: "missed", reason: "before_label" };

test("a thousand replicas that are assessed alike are one group", () => {
  const rollUp = new RollUp();
  for (let i = 0; i < 1_000; i++)
    rollUp.add({ owner: owner("Deployment"), assessment: MISSED, pods: 1, example: `web-${i}` });
  rollUp.add({ owner: owner("Deployment", "api"), assessment: MISSED, pods: 2, example: "api-0" });
  assert.deepEqual(
    rollUp.groups().map(({ owner: { name }, pods, example }) => [name, pods, example]),
    [
      ["api", 2, "api-0"],
      ["web", 1_000, "web-0"],
    ],
  );
});

test("a workload's notice says how many pods, why, and the command that mends it", () => {
  const [notice, ...more] = noticesOf([
    { owner: owner("Deployment"), assessment: MISSED, pods: 3, example: "web-0" },
  ]);
  assert.deepEqual(more, []);
  assert.equal(notice?.reason, "SidecarMissing");
  assert.match(notice?.message ?? "", /^3 pods \(web-0 is one\): no sidecar: it is older than/);
  assert.match(notice?.message ?? "", /To do: kubectl rollout restart deployment\/web -n shop$/);
});

test("two reasons at one workload are one notice", () => {
  const notices = noticesOf([
    { owner: owner("Deployment"), assessment: MISSED, pods: 1, example: "web-0" },
    {
      owner: owner("Deployment"),
      assessment: { state: "missed", reason: "not_called" },
      ...{ pods: 1, example: "web-1" },
    },
    {
      owner: owner("Deployment"),
      assessment: { state: "stale", reason: "version", detail: "0.0.9, not 0.1.0" },
      ...{ pods: 1, example: "web-2" },
    },
  ]);
  assert.deepEqual(
    notices.map(({ reason }) => reason),
    ["SidecarMissing", "SidecarStale"],
  );
  assert.match(notices[0]?.message ?? "", /web-1.*web-0/);
});

test("what is as it should be is nobody's notice", () => {
  const fine: Assessment[] = [{ state: "injected" }, { state: "left_alone", reason: "opted_out" }];
  for (const assessment of fine)
    assert.deepEqual(
      noticesOf([{ owner: owner("Deployment"), assessment, pods: 1, example: "a" }]),
      [],
    );
});

for (const [kind, expected] of [
  ["Deployment", "kubectl rollout restart deployment/web -n shop"],
  ["StatefulSet", "kubectl rollout restart statefulset/web -n shop"],
  ["DaemonSet", "kubectl rollout restart daemonset/web -n shop"],
  ["ReplicaSet", "delete its pods"],
  ["Job", "delete it and create it again"],
  ["CronJob", "nothing, its next run"],
  ["Pod", "delete and create it again"],
  ["Rollout", "have Rollout web make its pods anew"],
] as const)
  test(`the remedy for the pods of a ${kind}: ${expected}`, () => {
    assert.ok(remedyOf(owner(kind), {}).startsWith(expected), remedyOf(owner(kind), {}));
  });

test("nobody is told to restart what would then be refused", () => {
  const refusal = "Sallyport refuses this pod:\n- spec.hostPID: no\n- spec.x: no";
  const remedy = remedyOf(owner("Deployment"), { refusal });
  assert.doesNotMatch(remedy, /rollout|\n/);
  assert.match(remedy, /would be refused: .*spec\.hostPID: no spec\.x: no$/);
});

test("an annotation that did not arrive is carried by any change of its workload", () => {
  assert.match(carryingRemedy(owner("Deployment")), /^kubectl rollout restart deployment\/web/);
  assert.match(carryingRemedy(owner("CronJob")), /^kubectl get cronjob\/web .* kubectl replace/);
  assert.match(carryingRemedy(owner("Job")), /^delete it and create it again/);
});

test("a pod's owner is its controller, among several owners, or else the pod itself", () => {
  const metadata = { name: "web-1", namespace: "shop", uid: "pod-uid" };
  const reference = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web-7", uid: "rs" };
  const owners = [
    { ...reference, kind: "Other" },
    { ...reference, controller: true },
  ];
  const made = ownerOfPod({ metadata: { ...metadata, ownerReferences: owners } });
  assert.deepEqual(made, { ...reference, namespace: "shop" });
  assert.equal(isGoBetween(made), true);
  assert.deepEqual(ownerOfPod({ metadata }), {
    ...{ apiVersion: "v1", kind: "Pod", namespace: "shop", name: "web-1", uid: "pod-uid" },
  });
  assert.equal(controllerOf({ metadata }), undefined);
});

test("a ReplicaSet of another group stands for itself", () => {
  assert.equal(isGoBetween({ ...owner("ReplicaSet"), apiVersion: "other/v1" }), false);
});
