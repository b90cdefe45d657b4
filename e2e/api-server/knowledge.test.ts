import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { covers } from "@sallyport/core/delivery";
import { lackingApiServer } from "../cluster/api-server.ts";
import { type KnowledgeBed, ruleNames, startKnowledgeBed, tls } from "./knowledge-bed.ts";
import { until } from "./until.ts";

const skip = lackingApiServer();
let bed: KnowledgeBed;

before(async () => {
  if (!skip) bed = await startKnowledgeBed();
});
after(() => bed?.[Symbol.asyncDispose]());

test("a rule reaches the pods of its selector, is changed there and goes", { skip }, async () => {
  await bed.namespace("shop");
  const web = await bed.pod("shop", "web", { app: "web" });
  const cart = await bed.pod("shop", "cart", { app: "cart" });
  await bed.settled(web);
  const empty = await bed.snapshot(web, "a policy", () => true);
  assert.deepEqual(empty.rules, []);
  assert.equal(empty.mode, "audit");
  assert.equal(empty.namespace, "shop");
  const revisions: (string | undefined)[] = [];
  const end = bed.knowledge.subscribe(web, () =>
    revisions.push(bed.knowledge.of(web)?.compiled?.revision),
  );
  let others = 0;
  const endOther = bed.knowledge.subscribe(cart, () => others++);

  await bed.rule("shop", "payments", {
    selector: { matchLabels: { app: "web" } },
    to: [tls("pay.example.com")],
  });
  const first = await bed.snapshot(web, "the rule", ({ rules }) => rules.length === 1);
  assert.deepEqual(first.rules, [{ rule: "shop/payments", entry: 0, ...tls("pay.example.com") }]);
  const compiled = bed.knowledge.of(web)?.compiled;
  assert.deepEqual(
    compiled?.origins.map(({ kind, namespace, name, generation }) => ({
      kind,
      namespace,
      name,
      generation,
    })),
    [{ kind: "EgressRule", namespace: "shop", name: "payments", generation: 1 }],
  );

  await bed.changeRule("shop", "payments", { spec: { to: [tls("pay.example.org")] } });
  await bed.snapshot(web, "the change", ({ rules }) => rules[0]?.hosts?.[0] === "pay.example.org");
  const changed = bed.knowledge.of(web)?.compiled;
  assert.ok(compiled && changed && covers(changed.basis, compiled.basis));
  assert.ok(!covers(compiled.basis, changed.basis));

  await bed.removeRule("shop", "payments");
  await bed.snapshot(web, "none", ({ rules }) => rules.length === 0);
  await until(
    "told of all three",
    async () => revisions.length,
    (count) => count >= 3,
  );
  assert.equal(new Set(revisions).size, 3, "one call for each change");
  assert.equal(others, 0, "and none for a pod that it does not concern");
  end();
  endOther();
});

test("a pod's labels and a namespace's decide, as they are now", { skip }, async () => {
  await bed.namespace("labels");
  await bed.rule("labels", "for-web", {
    selector: { matchExpressions: [{ key: "app", operator: "In", values: ["web"] }] },
    to: [tls("one.example.com")],
  });
  await bed.boundary("platform", {
    namespaceSelector: { matchLabels: { tier: "guarded" } },
    deny: [tls("*.example.net")],
  });
  const pod = await bed.pod("labels", "it", { app: "other" });
  await bed.snapshot(pod, "neither", ({ rules, deny }) => rules.length + deny.length === 0);
  await bed.core.patchNamespacedPod({
    namespace: "labels",
    name: "it",
    body: [{ op: "replace", path: "/metadata/labels/app", value: "web" }],
  });
  await bed.snapshot(pod, "the rule", ({ rules }) => rules.length === 1);
  const labels = [{ op: "add", path: "/metadata/labels/tier", value: "guarded" }];
  await bed.core.patchNamespace({ name: "labels", body: labels });
  const both = await bed.snapshot(pod, "the boundary", ({ deny }) => deny.length === 1);
  assert.equal(both.mode, "enforce", "a boundary says the mode");
  assert.deepEqual(
    bed.knowledge.boundariesOver("labels")?.map(({ name }) => name),
    ["platform"],
  );
  await bed.removeBoundary("platform");
  await bed.snapshot(pod, "no boundary", ({ deny, mode }) => deny.length === 0 && mode === "audit");
});

test("a pod that has ended, or is another of the same name, has no policy", { skip }, async () => {
  await bed.namespace("ends");
  const pod = await bed.pod("ends", "job");
  await bed.snapshot(pod, "its policy", () => true);
  assert.equal(bed.knowledge.of({ ...pod, uid: "another" }), undefined);
  await bed.podStatus("ends", "job", { phase: "Succeeded" });
  await until(
    "none",
    async () => bed.knowledge.of(pod),
    (found) => found === undefined,
  );
});

test("ExternalName Services and Services that lead out appear, change and go", {
  skip,
}, async () => {
  await bed.namespace("services");
  const pod = await bed.pod("services", "it");
  const snapshot = (what: string, isSo: Parameters<KnowledgeBed["snapshot"]>[2]) =>
    bed.snapshot(pod, what, isSo);
  const services = {
    create: (name: string, spec: object) =>
      bed.core.createNamespacedService({
        namespace: "services",
        body: { metadata: { name }, spec },
      }),
    change: (name: string, path: string, value: unknown) =>
      bed.core.patchNamespacedService({
        namespace: "services",
        name,
        body: [{ op: "replace", path, value }],
      }),
  };
  await services.create("httpbin", { type: "ExternalName", externalName: "httpbin.example.com" });
  const names = ({ cluster }: Awaited<ReturnType<typeof snapshot>>) =>
    cluster.externalNames.map(
      ({ namespace, name, externalName }) => `${namespace}/${name} ${externalName}`,
    );
  await snapshot("it", (each) => names(each).includes("services/httpbin httpbin.example.com"));
  await services.change("httpbin", "/spec/externalName", "httpbin.example.org");
  await snapshot("another", (each) => names(each).includes("services/httpbin httpbin.example.org"));
  await bed.core.deleteNamespacedService({ namespace: "services", name: "httpbin" });
  await snapshot("none", (each) => names(each).length === 0);

  const { spec } = await services.create("db", { ports: [{ name: "sql", port: 5432 }] });
  const slice = (address: string) => ({
    metadata: { name: "db-by-hand", labels: { "kubernetes.io/service-name": "db" } },
    addressType: "IPv4",
    endpoints: [{ addresses: [address] }],
    ports: [{ name: "sql", port: 5433 }],
  });
  await bed.discovery.createNamespacedEndpointSlice({
    namespace: "services",
    body: slice("198.51.100.7"),
  });
  const out = await snapshot("it leads out", ({ cluster }) => cluster.leadingOut.length === 1);
  assert.deepEqual(out.cluster.leadingOut, [
    {
      ...{ namespace: "services", name: "db", addresses: [spec?.clusterIP] },
      ports: [{ port: 5432, endpoints: [{ address: "198.51.100.7", port: 5433 }] }],
    },
  ]);
  const move = [{ op: "replace", path: "/endpoints/0/addresses/0", value: "198.51.100.8" }];
  const at = { namespace: "services", name: "db-by-hand" };
  await bed.discovery.patchNamespacedEndpointSlice({ ...at, body: move });
  await snapshot(
    "the other endpoint",
    ({ cluster }) => cluster.leadingOut[0]?.ports[0]?.endpoints[0]?.address === "198.51.100.8",
  );
  // The API server takes any number, and whoever writes one must not keep the rest of the cluster from being told.
  const noPort = [{ op: "replace", path: "/ports/0/port", value: 70_000 }];
  await bed.discovery.patchNamespacedEndpointSlice({ ...at, body: noPort });
  await snapshot(
    "a port that is none",
    ({ cluster }) => cluster.leadingOut[0]?.ports[0]?.endpoints.length === 0,
  );
  await bed.discovery.deleteNamespacedEndpointSlice(at);
  await snapshot("it leads nowhere", ({ cluster }) => cluster.leadingOut.length === 0);
});

test("the ranges of nodes, Services and pods are found, and an address outside of them is told", {
  skip,
}, async () => {
  await bed.namespace("ranges");
  const pod = await bed.pod("ranges", "it");
  const ranges = (isSo: (ranges: readonly string[]) => boolean) =>
    bed.snapshot(pod, "ranges", ({ cluster }) => isSo(cluster.ranges));
  await ranges((found) => found.includes("10.96.0.0/16"));
  for (const i of [0, 1])
    await bed.core.createNode({
      body: {
        metadata: { name: `node-${i}` },
        spec: { podCIDRs: [`10.244.${i}.0/24`], podCIDR: `10.244.${i}.0/24` },
      },
    });
  await ranges((found) => found.includes("10.244.0.0/23"));
  await bed.core.patchNodeStatus({
    name: "node-0",
    body: [
      {
        op: "add",
        path: "/status/addresses",
        value: [{ type: "InternalIP", address: "172.18.0.2" }],
      },
    ],
  });
  await bed.snapshot(pod, "nodes", ({ cluster }) => cluster.nodes.includes("172.18.0.2/32"));
  assert.deepEqual(
    bed.knowledge.misses().filter((text) => text.includes("pods")),
    [],
  );
  await bed.podStatus("ranges", "it", {
    phase: "Running",
    podIPs: [{ ip: "192.168.7.3" }],
    podIP: "192.168.7.3",
  });
  await ranges((found) => found.includes("192.168.7.3/32"));
  assert.match(
    bed.knowledge.misses().join("\n"),
    /running pods .*1, ranges\/it has 192\.168\.7\.3/,
  );
  assert.equal(bed.lines.filter((line) => line.includes("192.168.7.3")).length, 1, "logged once");
});

test("a pod that the watch has not told of yet is asked for; what a sidecar has decides how much has to be known", {
  skip,
}, async () => {
  await bed.namespace("catch");
  const pod = await bed.pod("catch", "it");
  await bed.knowledge.catchUp(pod, undefined);
  const compiled = bed.knowledge.of(pod)?.compiled;
  assert.ok(compiled);
  assert.deepEqual(await bed.knowledge.catchUp(pod, compiled.basis), { rewound: false });
  // Much is written elsewhere meanwhile: the collections are at a version that no watch has told of.
  const { metadata } = await bed.core.createNamespacedConfigMap({
    namespace: "catch",
    body: { metadata: { name: "later" } },
  });
  const now = metadata?.resourceVersion ?? "";
  const basis = { ...compiled.basis, egressrules: now, services: now };
  assert.deepEqual(await bed.knowledge.catchUp(pod, basis), { rewound: false });
  assert.ok(covers(bed.knowledge.of(pod)?.compiled?.basis ?? {}, basis));
  const ahead = { ...basis, egressrules: String(BigInt(now) + 1_000_000n) };
  assert.deepEqual(await bed.knowledge.catchUp(pod, ahead), { rewound: true });
});

test("an API server that is away keeps nothing from being known, and what happened meanwhile is known after", {
  skip,
}, async () => {
  await bed.namespace("away");
  const pod = await bed.pod("away", "it");
  await bed.rule("away", "before", { to: [tls("one.example.com")] });
  await bed.snapshot(pod, "the rule", ({ rules }) => rules.length === 1);
  bed.away(true);
  await bed.removeRule("away", "before");
  await bed.rule("away", "after", { to: [tls("two.example.com")] });
  await assert.rejects(
    bed.knowledge.catchUp(pod, { egressrules: "999999999" }),
    /cannot list egressrules/,
  );
  assert.deepEqual(ruleNames(await bed.snapshot(pod, "it", () => true)), ["away/before"]);
  bed.away(false);
  await bed.snapshot(pod, "what is there now", (each) => ruleNames(each).join() === "away/after");
});
