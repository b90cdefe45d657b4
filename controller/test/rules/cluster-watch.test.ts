import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Cluster } from "@sallyport/core/snapshot";
import { ClusterWatch } from "../../src/rules/cluster-watch.ts";
import { Collection } from "../../src/rules/collection.ts";
import type { PodEntry, SliceEntry } from "../../src/rules/entries.ts";
import { GonePods } from "../../src/rules/gone-pods.ts";
import type { UnheardPod } from "../../src/rules/inquiry.ts";
import { pod, service, slice } from "./plain.ts";

const HTTP = [{ name: "http", port: 80 }];

/** Everything is listed, and empty, but for what is given. */
function bed(asked: (pod: UnheardPod) => void | Promise<void> = () => {}) {
  const parts: string[] = [];
  const logged: string[] = [];
  let missed = 0;
  const pods = new Collection<PodEntry>((before, after) => watch.podChanged(before, after));
  const watch = new ClusterWatch({
    pods,
    given: { cluster: Cluster.parse({ ranges: ["10.0.0.0/8"] }), resolvers: ["10.96.0.10"] },
    log: (_, message) => logged.push(message),
    onPart: ({ text }) => parts.push(text),
    onMisses: () => missed++,
    askForPod: async (pod) => asked(pod),
  });
  const all = [pods, watch.services, watch.slices, watch.nodes, watch.serviceRanges];
  return { watch, pods, parts, logged, all, missed: () => missed };
}

test("there are facts once everything has been listed, and not before", () => {
  const { watch, all, parts } = bed();
  for (const [i, each] of all.entries()) {
    assert.equal(parts.length, 0);
    each.replace(new Map(), BigInt(i + 1));
    watch.begin();
  }
  assert.equal(parts.length, 1);
  watch.end();
});

test("what changes nothing of the cluster makes nothing anew; what does is told once for what comes together", () => {
  const { watch, pods, all, parts } = bed();
  for (const each of all) each.replace(new Map(), 1n);
  watch.begin();
  watch.services.news("shop/web", 2n, service("web", ["10.96.0.7"], { ports: HTTP }));
  watch.settle();
  assert.equal(parts.length, 1, "a Service in the ranges is nothing new");
  pods.news("shop/a", 3n, pod("a", ["10.1.1.1"]));
  watch.slices.news("shop/web-abc", 4n, slice("web", ["10.1.1.1"], HTTP));
  assert.equal(
    watch.versions.endpointslices,
    4n,
    "nothing is to be made: what is known is what is told",
  );
  watch.slices.news("shop/web-abc", 5n, slice("web", ["203.0.113.9"], HTTP));
  watch.services.news("shop/mail", 6n, service("mail", [], { externalName: "mail.test" }));
  assert.deepEqual(
    [watch.versions.endpointslices, watch.versions.services],
    [4n, 2n],
    "until it is made again, it is of before",
  );
  watch.settle();
  assert.equal(parts.length, 2);
  assert.match(parts[1] ?? "", /203\.0\.113\.9/);
  assert.match(parts[1] ?? "", /mail\.test/);
  assert.equal(watch.versions.services, 6n);
  watch.end();
});

test("what pods are told of the cluster's ranges fits into a variable of a container's, however many addresses lie by themselves", () => {
  const { watch, pods, all } = bed();
  for (const each of all) each.replace(new Map(), 1n);
  const long = (block: string, i: number) =>
    `2001:db8:1234:5678:${block}:9abc:def0:${i.toString(16)}`;
  for (let i = 1; i <= 2_500; i++) {
    pods.news(`shop/p${i}`, BigInt(2 * i), pod(`p${i}`, [long("aaaa", i)]));
    watch.services.news(`shop/s${i}`, BigInt(2 * i + 1), service(`s${i}`, [long("bbbb", i)]));
  }
  watch.begin();
  watch.settle();
  const { ranges = [] } = watch.network ?? {};
  assert.equal(ranges[0], "10.0.0.0/8");
  // Linux, include/uapi/linux/binfmts.h: MAX_ARG_STRLEN.
  assert.ok(JSON.stringify(ranges).length < 128 << 10, `${JSON.stringify(ranges).length}`);
  watch.end();
});

test("a miss is logged when it is new, not when its numbers change, and again when it has come back", () => {
  const { watch, pods, all, logged, missed } = bed();
  for (const each of all) each.replace(new Map(), 1n);
  watch.begin();
  const change = (version: bigint, name: string, addresses: readonly string[]) => {
    pods.news(`shop/${name}`, version, pod(name, addresses));
    watch.settle();
  };
  change(2n, "a", ["192.168.1.1"]);
  change(3n, "b", ["192.168.1.2"]);
  assert.equal(logged.length, 1);
  assert.match(watch.misses.join(), /: 2, shop\/a/);
  assert.equal(missed(), 2, "whoever shows it is told of each");
  change(4n, "a", ["10.1.1.1"]);
  change(5n, "b", []);
  assert.deepEqual(watch.misses, []);
  change(6n, "b", ["192.168.1.2"]);
  assert.equal(logged.length, 2);
  watch.end();
});

test("a cluster that no sidecar could read is not told, and said", () => {
  const { watch, all, parts, logged, missed } = bed();
  for (const each of all) each.replace(new Map(), 1n);
  watch.begin();
  const name = (text: string) => service(text, [], { externalName: "mail.test" });
  watch.services.news("shop/Not a name", 2n, name("Not a name"));
  watch.settle();
  assert.equal(parts.length, 1);
  assert.match(
    logged.join(),
    /sidecars are not told of the cluster as it is now: .*expected one label/s,
  );
  assert.match(watch.misses.join(), /are not told of the cluster as it is now/);
  watch.services.news("shop/web", 3n, service("web", ["10.96.0.7"], { ports: HTTP }));
  watch.settle();
  assert.deepEqual([logged.length, missed()], [1, 1], "once, as every miss");
  watch.services.news("shop/Not a name", 4n, undefined);
  watch.services.news("shop/mail", 5n, name("mail"));
  watch.settle();
  assert.equal(parts.length, 2);
  assert.deepEqual(watch.misses, []);
  watch.end();
});

const to = (version: bigint, address: string, podName?: string): SliceEntry => ({
  ...slice("web", [], HTTP, { name: `web-${version}` }),
  endpoints: [{ address, isReady: true, ...(podName !== undefined && { pod: podName }) }],
});

/** A Service in the ranges, and pods that are in none. */
function strayBed(asked: (pod: UnheardPod) => void | Promise<void>) {
  const made = bed(asked);
  for (const each of made.all) each.replace(new Map(), 1n);
  made.watch.begin();
  made.watch.services.news("shop/web", 2n, service("web", ["10.96.0.7"], { ports: HTTP }));
  return made;
}
const leadsOut = (parts: readonly string[]) =>
  parts.filter((text) => /"leadingOut":\[\{/.test(text)).length;

test("a slice whose pod nobody has heard of yet: it is asked for before anybody's connections are cut", async () => {
  const asked: string[] = [];
  const { watch, pods, parts } = strayBed(({ name, address }) => {
    asked.push(`${name} ${address}`);
    pods.offer(`shop/${name}`, 5n, pod(name, [address]));
  });
  watch.slices.news("shop/web-1", 6n, to(1n, "192.168.1.1", "a"));
  await watch.settle();
  assert.deepEqual(asked, ["a 192.168.1.1"]);
  assert.match(parts.at(-1) ?? "", /192\.168\.1\.1\/32/);
  assert.equal(leadsOut(parts), 0, "at no time");
  watch.end();
});

test("what only says to be a pod leads out, and is asked for once", async () => {
  let asked = 0;
  const { watch, parts } = strayBed(() => {
    asked++;
  });
  watch.slices.news("shop/web-1", 6n, to(1n, "203.0.113.9", "a"));
  await watch.settle();
  assert.equal(leadsOut(parts), 1);
  watch.services.news("shop/mail", 7n, service("mail", [], { externalName: "mail.test" }));
  await watch.settle();
  assert.equal(leadsOut(parts), 2);
  assert.equal(asked, 1);
  watch.end();
});

test("an API server that does not answer, and names that are ever new, put off nothing for long", async () => {
  const never = Promise.withResolvers<void>();
  const { watch, parts } = strayBed(() => never.promise);
  for (let version = 6n; leadsOut(parts) === 0; version++) {
    assert.ok(version < 600n, "for ever");
    watch.slices.news("shop/web-1", version, to(1n, "203.0.113.9", `a-${version}`));
    await delay(100);
  }
  watch.end();
});

test("the address of a pod that has gone is still one of the cluster's while slices name it", async () => {
  const { watch, pods, parts } = strayBed(() => {});
  pods.news("shop/a", 6n, pod("a", ["192.168.1.1"]));
  watch.slices.news("shop/web-1", 7n, to(1n, "192.168.1.1", "a"));
  await watch.settle();
  pods.news("shop/a", 8n, undefined);
  await watch.settle();
  assert.doesNotMatch(parts.at(-1) ?? "", /192\.168\.1\.1/, "nobody else may have it");
  assert.equal(leadsOut(parts), 0);
  watch.end();
});

test("addresses of pods that have gone are remembered for a minute", () => {
  const gone = new GonePods();
  gone.note("192.168.1.1", 0);
  gone.note("192.168.1.2", 30_000);
  gone.note("192.168.1.1", 40_000);
  assert.deepEqual([...gone.addresses(89_999)], ["192.168.1.2", "192.168.1.1"]);
  assert.equal(gone.untilNextMs(89_999), 1);
  assert.deepEqual([...gone.addresses(90_000)], ["192.168.1.1"]);
  assert.deepEqual([...gone.addresses(100_000)], []);
  assert.equal(gone.untilNextMs(100_000), undefined);
});
