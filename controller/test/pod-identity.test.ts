import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "@sallyport/controller/admission/admission";
import type { DrawIdentity } from "@sallyport/controller/admission/identity";
import type { InjectionOptionsInput } from "@sallyport/controller/admission/options";
import {
  type Any,
  admit,
  admitted,
  containerOf,
  containersNamed,
  NOW,
  podOf,
  seededDraw,
} from "./pod-support.ts";

const STATUS = "sallyport.dev/status";

function idsOf(pod: JsonObject): { uid: number; gid: number } {
  const { runAsUser, runAsGroup } = containersNamed(pod, "sallyport-proxy")[0].securityContext;
  const { uid, gid } = statusOf(pod);
  assert.deepEqual([runAsUser, runAsGroup], [uid, gid]);
  return { uid, gid };
}

function statusOf(pod: JsonObject): Any {
  return JSON.parse((pod.metadata as Any).annotations[STATUS]);
}

/** Whether an admission of `pod` by another draw keeps the identity that it bears. */
function isKept(
  pod: JsonObject,
  ...rest: Parameters<typeof admit> extends [Any, ...infer R] ? R : never
) {
  const [request, options, draw = seededDraw(99)] = rest;
  return idsOf(admitted(pod, request, options, draw)).uid === idsOf(pod).uid;
}

const first = admitted(podOf());

test("uid and gid are one number from 20000 to 59999, and every number can come", () => {
  const ends: DrawIdentity[] = [
    { ...seededDraw(), random: () => 0 },
    { ...seededDraw(), random: (below) => below - 1 },
  ];
  const drawn = ends.map((draw) => idsOf(admitted(podOf(), {}, {}, draw)));
  assert.deepEqual(drawn, [
    { uid: 20_000, gid: 20_000 },
    { uid: 59_999, gid: 59_999 },
  ]);
});

test("whatever id the pod uses is not drawn", () => {
  const pod = podOf({
    securityContext: {
      runAsUser: 20_000,
      runAsGroup: 20_001,
      fsGroup: 20_003,
      supplementalGroups: [20_004],
    },
    containers: [containerOf({ securityContext: { runAsUser: 20_005, runAsGroup: 20_006 } })],
    initContainers: [containerOf({ name: "i", securityContext: { runAsUser: 20_007 } })],
  });
  const lowest = (n: number) =>
    idsOf(admitted(pod, {}, {}, { ...seededDraw(), random: () => n })).uid;
  assert.deepEqual([0, 1, 2].map(lowest), [20_002, 20_008, 20_009]);
});

test("a pod that leaves one id is given that one; one that leaves none is refused", () => {
  const all = Array.from({ length: 40_000 }, (_, i) => 20_000 + i);
  const without = podOf({
    securityContext: { supplementalGroups: all.filter((id) => id !== 31_337) },
  });
  assert.equal(idsOf(admitted(without)).uid, 31_337);
  const answer = admit(podOf({ securityContext: { supplementalGroups: all } }));
  assert.ok(!answer.allowed);
  assert.match(answer.message, /names every id from 20000 to 59999/);
});

for (const [options, expected] of [
  [
    { proxyUid: 1_500, proxyGid: 1_600 },
    { uid: 1_500, gid: 1_600 },
  ],
  [{ proxyUid: 1_500 }, { uid: 1_500, gid: 20_000 }],
  [{ proxyGid: 1_600 }, { uid: 20_000, gid: 1_600 }],
] as const)
  test(`${JSON.stringify(options)} is what the sidecar runs as, and what is kept`, () => {
    const draw = { ...seededDraw(), random: () => 0 };
    const pod = admitted(podOf(), {}, options, draw);
    assert.deepEqual(idsOf(pod), expected);
    assert.deepEqual(
      admit(pod, {}, options, seededDraw(5)).allowed && admit(pod, {}, options, seededDraw(5)),
      {
        allowed: true,
        patch: [],
        warnings: [],
      },
    );
  });

test("an identity of our own is kept for a minute, and not longer", () => {
  assert.equal(isKept(first), true);
  assert.equal(isKept(first, { now: NOW + 60_000 }), true);
  assert.equal(isKept(first, { now: NOW + 60_001 }), false);
  assert.equal(isKept(first, { now: NOW - 1 }), false);
});

test("it is kept where the keys of the pod come in another order", () => {
  const { metadata, spec, ...rest } = first as Any;
  assert.equal(isKept({ spec, ...rest, metadata }), true);
});

test("it is not kept in another namespace, under another key or other options", () => {
  assert.equal(isKept(first, { namespace: "other" }), false);
  const other = { ...seededDraw(99), sealKey: new Uint8Array(32) };
  assert.equal(isKept(first, {}, {}, other), false);
  assert.equal(isKept(first, {}, { proxyUid: 7 }), false);
});

test("it is not kept where anything else of the pod has changed", () => {
  const changed = structuredClone(first) as Any;
  changed.spec.containers[0].image = "evil/with-that-user:1.0";
  assert.equal(isKept(changed), false);
});

test("what bears our names may change without the identity", () => {
  const changed = structuredClone(first) as Any;
  changed.spec.initContainers[1].volumeMounts = [{ name: "token", mountPath: "/var/run/secrets" }];
  changed.spec.initContainers[1].image = "evil:1.0";
  const again = admitted(changed, {}, {}, seededDraw(99));
  assert.deepEqual(again, first);
});

test("a seal is worth nothing for another uid, gid or time, or in any other form", () => {
  const { seal } = statusOf(first);
  const [atMs, mac] = seal.split(".");
  const uid = idsOf(first).uid === 40_000 ? 40_001 : 40_000;
  for (const forged of [
    { uid },
    { gid: uid },
    { uid, gid: uid },
    { uid, gid: uid, seal: undefined },
    { uid, gid: uid, seal: `${NOW}.` },
    { uid, gid: uid, seal: "" },
    { uid, gid: uid, seal: `${Number(atMs) - 1}.${mac}` },
    { uid, gid: uid, seal: `${atMs}.${"A".repeat(mac.length)}` },
    { uid, gid: uid, seal: 7 },
    { uid: "40000", gid: 40_000 },
  ]) {
    const pod = structuredClone(first) as Any;
    pod.metadata.annotations[STATUS] = JSON.stringify({ ...statusOf(first), ...forged });
    const drawn = idsOf(admitted(pod, {}, {}, seededDraw(99)));
    assert.deepEqual(
      drawn,
      idsOf(admitted(podOf(), {}, {}, seededDraw(99))),
      JSON.stringify(forged),
    );
  }
});

test("a dry run leaves no seal that could be used later", () => {
  const dry = admitted(podOf(), { dryRun: true });
  assert.equal(statusOf(dry).seal, undefined);
  assert.equal(isKept(dry), false);
});

test("offline the file is believed, as far as it is possible, and nothing is sealed", () => {
  const offline = (seed: number): DrawIdentity => ({
    ...seededDraw(seed),
    sealKey: "believe-the-file",
  });
  const options: InjectionOptionsInput = {};
  const pod = admitted(podOf(), {}, options, offline(1));
  assert.equal(statusOf(pod).seal, undefined);
  assert.deepEqual(admit(pod, {}, options, offline(2)), { allowed: true, patch: [], warnings: [] });
  const used = structuredClone(pod) as Any;
  used.spec.securityContext = { runAsUser: idsOf(pod).uid };
  assert.notEqual(idsOf(admitted(used, {}, options, offline(4))).uid, idsOf(pod).uid);
  for (const uid of [0, 19_999, 60_000, 1e10]) {
    const odd = structuredClone(pod) as Any;
    odd.metadata.annotations[STATUS] = JSON.stringify({ ...statusOf(pod), uid });
    assert.notEqual(idsOf(admitted(odd, {}, options, offline(3))).uid, uid);
  }
});

test("what an author writes in our name in advance stands for nothing", () => {
  const forged = podOf(
    {
      initContainers: [
        { name: "sallyport-proxy", image: "evil", restartPolicy: "Always" },
        { name: "mine", ...containerOf({ name: "mine" }) },
      ],
      containers: [
        containerOf({ name: "sallyport-init" }),
        containerOf(),
        containerOf({ name: "sallyport-proxy" }),
      ],
    },
    { annotations: { [STATUS]: "injected: true", other: "x" } },
  );
  const honest = podOf(
    { initContainers: [containerOf({ name: "mine" })] },
    { annotations: { other: "x" } },
  );
  assert.deepEqual(admitted(forged), admitted(honest));
});

for (const status of [
  "",
  "null",
  "[]",
  "{}",
  '{"made":{"annotations":"absent"}}',
  "{".repeat(50_000),
])
  test(`the pre-written status ${status.slice(0, 40)} changes nothing`, () => {
    assert.deepEqual(admitted(podOf({}, { annotations: { [STATUS]: status } })), {
      ...admitted(podOf({}, { annotations: {} })),
    });
  });
