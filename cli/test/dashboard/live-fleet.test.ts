import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fleet } from "@sallyport/cli/dashboard/fleet";
import { PACE } from "@sallyport/cli/dashboard/live-fleet";
import { ApiRefusal } from "@sallyport/cli/kubernetes/rest";
import { admin, type Lists, namespaceOf, openBed, overviewOf, POLICY_API, podOf } from "./bed.ts";

const destination = (more: object) => ({
  ...{ id: 1, name: "api.example.com", address: "93.184.216.34", port: 443, protocol: "tls" },
  ...{ reason: "allowed.rule", rule: "shop/api", open: 0, connections: 1, requests: 0 },
  ...{ bytes_sent: 0, bytes_received: 0, first_time: "2026-01-01T00:00:00Z" },
  ...more,
});
const REFUSED = { reason: "denied.no_rule", rule: undefined, name: "tracker.example.org" };

const troubles = ({ workloads }: Fleet) =>
  Object.fromEntries(workloads.map(({ id, troubles: told }) => [id, told]));

test("many sidecars are asked a few at a time, and it is told how far that has come", async (t) => {
  const names = Array.from({ length: 60 }, (_, i) => `web-${i}`);
  let [now, most] = [0, 0];
  const slow = (i: number) => {
    const answer = admin();
    return ((request, response) => {
      most = Math.max(most, ++now);
      setTimeout(
        () => {
          now -= 1;
          answer(request, response);
        },
        5 + (i % 5),
      );
    }) as typeof answer;
  };
  const bed = await openBed(
    t,
    { "/api/v1/pods": names.map((name) => podOf("shop", name)), "/api/v1/namespaces": [] },
    Object.fromEntries(names.map((name, i) => [`shop/${name}`, slow(i)])),
  );
  const seen = new Set<number>();
  for (;;) {
    const { progress, readAt } = bed.fleet.look();
    seen.add(progress.asked);
    if (readAt !== undefined && progress.asked === 60) break;
    await new Promise((done) => setTimeout(done, 5));
  }
  assert.ok(most > 1 && most <= PACE.concurrency, `${most} at a time`);
  assert.ok(seen.size > 5, `progress was seen at ${[...seen].join(", ")}`);
  assert.equal(bed.fleet.look().workloads.filter(({ heard }) => heard === 1).length, 60);
});

test("nobody is asked before somebody looks", async (t) => {
  let asked = 0;
  const counting = admin();
  const bed = await openBed(
    t,
    { "/api/v1/pods": [podOf("shop", "web-1")], "/api/v1/namespaces": [] },
    {
      "shop/web-1": (...call) => {
        asked += 1;
        counting(...call);
      },
    },
  );
  await new Promise((done) => setTimeout(done, 100));
  assert.equal(asked, 0);
  await bed.settled();
  assert.equal(asked, 2);
});

test("a pod that cannot be asked, and one whose sidecar is not up to date, are told as such, and why", async (t) => {
  const bed = await openBed(
    t,
    {
      "/api/v1/pods": [
        ...["mute", "old", "stuck", "waiting", "well"].map((name) => podOf("shop", name)),
        podOf("shop", "bare", false),
        podOf("elsewhere", "unlabelled", false),
      ],
      "/api/v1/namespaces": [namespaceOf("shop")],
    },
    {
      "shop/well": admin(),
      "shop/old": admin([], overviewOf({ control: { connected: false, problem: "no address" } })),
      "shop/stuck": admin(
        [],
        overviewOf({ policy: { mode: "enforce", version: 1, problem: "rules[0]: no" } }),
      ),
      "shop/waiting": admin([], overviewOf({ not_ready: "no policy has come yet" })),
    },
  );
  const told = troubles(await bed.settled());
  assert.deepEqual(Object.keys(told).sort(), [
    ...["bare", "mute", "old", "stuck", "waiting", "well"].map((name) => `shop/pod/${name}`),
  ]);
  for (const [name, expected] of [
    ["well", undefined],
    ["mute", "mute: nothing listens on port 15000 of the pod"],
    ["old", "old: without a controller: no address"],
    ["stuck", "stuck: cannot use its newest policy: rules[0]: no"],
    ["waiting", "waiting: not ready: no policy has come yet"],
  ] as const)
    assert.deepEqual(told[`shop/pod/${name}`], expected === undefined ? [] : [expected]);
  assert.match(told["shop/pod/bare"]?.[0] ?? "", /^bare: it has no sidecar: /);
});

test("a pod without a sidecar needs a look where one is asked for or a boundary requires it, and is none of ours elsewhere", async (t) => {
  const wishing = (namespace: string, name: string) => {
    const { metadata, ...rest } = podOf(namespace, name, false);
    const annotations = { "sallyport.dev/inject": "false" };
    return { ...rest, metadata: { ...(metadata as object), annotations } };
  };
  const bed = await openBed(t, {
    "/api/v1/pods": [
      wishing("shop", "out"),
      wishing("bank", "out"),
      podOf("elsewhere", "x", false),
    ],
    "/api/v1/namespaces": [namespaceOf("shop"), namespaceOf("bank", "all", { team: "bank" })],
    [`${POLICY_API}/egressboundaries`]: [
      {
        ...{ apiVersion: "sallyport.dev/v1alpha1", kind: "EgressBoundary" },
        metadata: { name: "payments" },
        spec: {
          injection: "required",
          namespaceSelector: { matchLabels: { team: "bank" } },
        },
      },
    ],
  });
  const told = troubles(await bed.settled());
  assert.deepEqual(Object.keys(told), ["bank/pod/out"]);
  assert.match(told["bank/pod/out"]?.[0] ?? "", /^out: it has no sidecar: a boundary requires it/);
});

for (const [what, answer] of [
  ["is no JSON", "<script>alert(1)</script>"],
  ["is another thing", '{"hello":"world"}'],
  ["has names that are no names", JSON.stringify({ destinations: [{ name: {} }] })],
  ["is longer than anybody reads", "x".repeat(9 << 20)],
] as const)
  test(`what a pod answers is believed only in its form: one that ${what} is told as no sidecar`, async (t) => {
    const bed = await openBed(
      t,
      { "/api/v1/pods": [podOf("shop", "web-1")], "/api/v1/namespaces": [] },
      { "shop/web-1": (_, response) => void response.end(answer) },
    );
    const { workloads } = await bed.settled();
    assert.equal(workloads[0]?.heard, 0);
    assert.match(
      workloads[0]?.troubles[0] ?? "",
      /no sidecar of this version|is no JSON|longer than 8 MB/,
    );
  });

test("what pods of one workload tell is added up, the refused first; and over the fleet, by destination", async (t) => {
  const owned = (namespace: string, name: string, set: string) => {
    const pod = podOf(namespace, name) as { metadata: object };
    const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: set, uid: set };
    return {
      ...pod,
      metadata: { ...pod.metadata, ownerReferences: [{ ...owner, controller: true }] },
    };
  };
  const setOf = (uid: string, deployment: string) => ({
    metadata: {
      ...{ uid, name: uid, namespace: "shop" },
      ownerReferences: [
        {
          apiVersion: "apps/v1",
          kind: "Deployment",
          name: deployment,
          uid: deployment,
          controller: true,
        },
      ],
    },
  });
  const lists: Lists = {
    "/api/v1/pods": [
      owned("shop", "web-a1", "web-a"),
      owned("shop", "web-b1", "web-b"),
      owned("shop", "api-1", "api"),
    ],
    "/api/v1/namespaces": [namespaceOf("shop")],
    "/apis/apps/v1/replicasets": [
      setOf("web-a", "web"),
      setOf("web-b", "web"),
      setOf("api", "api"),
    ],
  };
  const bed = await openBed(t, lists, {
    "shop/web-a1": admin([
      destination({ connections: 2 }),
      destination({ ...REFUSED, connections: 3, last_time: "2026-01-01T00:00:05Z" }),
    ]),
    "shop/web-b1": admin([
      destination({ connections: 1, requests: 7 }),
      destination({
        ...REFUSED,
        connections: 1,
        nearest: "shop/web",
        last_time: "2026-01-01T00:00:09Z",
      }),
    ]),
    "shop/api-1": admin([
      destination({ ...REFUSED, reason: "allowed.audit", would_be: "denied.no_rule" }),
      destination({ ...REFUSED, connections: 1 }),
      destination({ reason: "failed.dns" }),
    ]),
  });
  const { workloads, refusals } = await bed.settled();
  assert.deepEqual(
    workloads.map(({ id, pods, counts }) => [id, pods, ...Object.values(counts)]),
    [
      ["shop/deployment/web", 2, 4, 0, 0, 10],
      ["shop/deployment/api", 1, 1, 1, 1, 0],
    ],
  );
  assert.deepEqual(
    refusals.map(({ place, outcome, reason, count, workloads: who, nearest, last }) => [
      ...[place, outcome, reason, count, who, nearest, last],
    ]),
    [
      [
        ...["tracker.example.org", "refused", "denied.no_rule", 5],
        ...[["shop/deployment/web", "shop/deployment/api"], "shop/web", "2026-01-01T00:00:09Z"],
      ],
      [
        ...["tracker.example.org", "would_be_refused", "denied.no_rule", 1],
        ...[["shop/deployment/api"], undefined, undefined],
      ],
    ],
  );
  const details = bed.fleet.details("shop/deployment/web");
  assert.deepEqual(
    details?.destinations.map(({ place, outcome, count, pods }) => [place, outcome, count, pods]),
    [
      ["tracker.example.org", "refused", 4, 2],
      ["api.example.com", "allowed", 10, 2],
    ],
  );
});

test("rules and boundaries are told with their status, those with problems first", async (t) => {
  const at = { lastTransitionTime: "2026-01-01T00:00:00Z", reason: "Applied" };
  const rule = (name: string, status?: object, generation = 1) => ({
    metadata: { namespace: "shop", name, generation },
    ...(status && { status: status as Record<string, never> }),
  });
  const bed = await openBed(t, {
    ...{ "/api/v1/pods": [], "/api/v1/namespaces": [] },
    [`${POLICY_API}/egressrules`]: [
      rule("a", {
        ...{ matchedPods: 2, appliedPods: 2, allowed: 5, refused: 1, observedGeneration: 1 },
        conditions: [{ ...at, type: "Ready", status: "True", message: "" }],
      }),
      rule("b", {
        conditions: [{ ...at, type: "Accepted", status: "False", message: "no pod may reach it" }],
      }),
      rule("c", { observedGeneration: 1 }, 2),
      rule("d"),
      rule("e", { matchedPods: "many" }),
    ],
    [`${POLICY_API}/egressboundaries`]: [
      { metadata: { name: "all" }, status: { matchedNamespaces: 3, matchedPods: 1 } },
    ],
  });
  const { rules, boundaries } = await bed.settled();
  assert.deepEqual(
    rules.map(({ name, problems }) => [name, ...problems]),
    [
      ["shop/b", "Accepted: no pod may reach it"],
      ["shop/c", "no controller has seen its newest version yet"],
      ["shop/d", "no controller has written its status yet"],
      ["shop/e", "its status is not understood"],
      ["shop/a"],
    ],
  );
  const { problems: _, ...figures } = rules[4] ?? {};
  assert.deepEqual(figures, { name: "shop/a", matched: 2, applied: 2, allowed: 5, refused: 1 });
  assert.deepEqual(boundaries, [{ name: "all", matched: 1, problems: [] }]);
});

test("what may not be read is told with what to do, and the rest is shown", async (t) => {
  const bed = await openBed(t, {
    "/api/v1/pods": new ApiRefusal(403, "pods is forbidden"),
    "/api/v1/namespaces": [],
    [`${POLICY_API}/egressrules`]: [{ metadata: { namespace: "shop", name: "web" } }],
  });
  const { problems, rules } = await bed.settled();
  assert.deepEqual(problems, [
    "cannot list pods: pods is forbidden; name a namespace that you may see: -n NAME",
    "this cluster has no egressboundaries: Sallyport's CustomResourceDefinitions are not installed",
  ]);
  assert.equal(rules.length, 1);
});

test("a pod that is made anew under its name starts anew, and one that is gone is gone", async (t) => {
  const pods = [podOf("shop", "web-0", true, "first"), podOf("shop", "web-1")];
  const lists = { "/api/v1/pods": pods, "/api/v1/namespaces": [] };
  const bed = await openBed(t, lists, {
    "shop/web-0": admin([destination({})]),
    "shop/web-1": admin([destination({})]),
  });
  await bed.settled();
  const host = { host: `web-1.shop.localhost:${bed.port}` };
  assert.equal((await bed.ask("/overview", host)).status, 200);
  lists["/api/v1/pods"] = [podOf("shop", "web-0", false, "second")];
  while (bed.fleet.look().workloads.length > 0) await new Promise((done) => setTimeout(done, 50));
  assert.equal((await bed.ask("/overview", host)).status, 404);
});
