import assert from "node:assert/strict";
import { test } from "node:test";
import { lackingApiServer } from "../cluster/api-server.ts";
import { ruleNames, startKnowledgeBed, tls } from "./knowledge-bed.ts";
import { until } from "./until.ts";

const skip = lackingApiServer();

test("watches whose past etcd has compacted away are begun anew, and lack nothing", {
  skip,
}, async () => {
  // Straight from etcd, where a version that is compacted is gone at once; a cache remembers longer.
  const flags = ["--watch-cache=false", "--etcd-compaction-interval=2s"];
  await using bed = await startKnowledgeBed({ server: { flags } });
  await bed.namespace("shop");
  const pod = await bed.pod("shop", "web");
  await bed.rule("shop", "first", { to: [tls("one.example.com")] });
  await bed.snapshot(pod, "the rule", ({ rules }) => rules.length === 1);
  const lists = () => bed.lines.filter((line) => line === "debug listed egressrules").length;
  const listed = lists();
  assert.ok(listed > 0);
  // No rule is written, but much else, until the watch has ended in time and has no version to go on from.
  let written = 0;
  await until(
    "the rules are listed again",
    async () => {
      const body = { metadata: { name: `other-${written++}` } };
      await bed.core.createNamespacedConfigMap({ namespace: "shop", body });
      return lists();
    },
    (count) => count > listed,
    120,
  );
  assert.deepEqual(
    bed.lines.filter((line) => /^(warn|error) cannot/.test(line)),
    [],
  );
  await bed.rule("shop", "second", { to: [tls("two.example.com")] });
  await bed.removeRule("shop", "first");
  await bed.snapshot(pod, "the second alone", (each) => ruleNames(each).join() === "shop/second");
});

test("kinds that are not installed yet are said once, and known soon after they are", {
  skip,
}, async () => {
  await using bed = await startKnowledgeBed({ crds: "none" });
  await bed.namespace("shop");
  const pod = await bed.pod("shop", "web");
  const why = await until(
    "what is lacking",
    async () => bed.knowledge.notReady ?? "",
    (text) =>
      /^cannot list egressrules: [^;]*CRDs[^;]*; cannot list egressboundaries: [^;]*$/.test(text),
  );
  assert.deepEqual(bed.knowledge.of(pod), { why });
  assert.deepEqual(bed.knowledge.boundariesOver("shop"), [], "there can be none");
  assert.equal(bed.knowledge.boundariesNotReady, undefined, "and admission goes on");
  let calls = 0;
  bed.knowledge.subscribe(pod, () => calls++);
  // Long enough for it to be tried again.
  await new Promise((resolve) => setTimeout(resolve, 6_000));
  assert.equal(bed.lines.filter((line) => /cannot list egressrules/.test(line)).length, 1);
  await bed.install("real");
  await bed.snapshot(pod, "a policy", () => true);
  await until(
    "its subscribers are told",
    async () => calls,
    (count) => count > 0,
  );
  assert.deepEqual(bed.knowledge.boundariesOver("shop"), []);
});

test("a replica that the API server's news reach late says nothing older than what a sidecar has", {
  skip,
}, async () => {
  await using bed = await startKnowledgeBed();
  await bed.namespace("shop");
  const pod = await bed.pod("shop", "web");
  await bed.rule("shop", "it", { to: [tls("one.example.com")] });
  await bed.snapshot(pod, "the rule", ({ rules }) => rules.length === 1);
  const end = new AbortController();
  try {
    const other = bed.followDirectly(end.signal);
    await bed.snapshot(pod, "the same on both", ({ rules }) => rules.length === 1, other);
    assert.equal(
      other.of(pod)?.compiled?.revision,
      bed.knowledge.of(pod)?.compiled?.revision,
      "the same content is called the same, whoever has compiled it",
    );
    bed.away(true);
    await bed.changeRule("shop", "it", { spec: { to: [tls("two.example.com")] } });
    await bed.snapshot(
      pod,
      "the change on the other",
      ({ rules }) => rules[0]?.hosts?.[0] === "two.example.com",
      other,
    );
    const newest = other.of(pod)?.compiled;
    assert.ok(newest);
    // A sidecar that has this comes to the one that lags.
    await assert.rejects(bed.knowledge.catchUp(pod, newest.basis));
    bed.away(false);
    await until(
      "it has caught up",
      () => bed.knowledge.catchUp(pod, newest.basis).catch(String),
      (found) => typeof found === "object" && !found.rewound,
    );
    assert.equal(bed.knowledge.of(pod)?.compiled?.revision, newest.revision);
  } finally {
    end.abort();
  }
});
