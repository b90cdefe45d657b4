import assert from "node:assert/strict";
import { test } from "node:test";
import { Cluster } from "@sallyport/core/snapshot";
import { ClusterWatch } from "../../src/rules/cluster-watch.ts";
import { Collection } from "../../src/rules/collection.ts";
import type { PodEntry } from "../../src/rules/entries.ts";
import { pod, service, slice } from "./plain.ts";

const HTTP = [{ name: "http", port: 80 }];

/** Everything is listed, and empty, but for what is given. */
function bed() {
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
  const { watch, all, parts, logged } = bed();
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
  watch.services.news("shop/Not a name", 3n, undefined);
  watch.services.news("shop/mail", 4n, name("mail"));
  watch.settle();
  assert.equal(parts.length, 2);
  watch.end();
});
