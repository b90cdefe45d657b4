import assert from "node:assert/strict";
import { test } from "node:test";
import type { RawObject } from "../../src/kubernetes/list-pages.ts";
import { boundaryEntry, ruleEntry } from "../../src/rules/policy-object.ts";

const tls = (host: string) => ({
  to: [{ hosts: [host], ports: [{ port: 443, protocol: "tls" }] }],
});
const raw = (spec: unknown, generation: number, more: Partial<RawObject> = {}): RawObject => ({
  metadata: {
    namespace: "shop",
    name: "pay",
    uid: "u1",
    resourceVersion: String(generation),
    generation,
  },
  spec,
  ...more,
});
const hostOf = (entry: ReturnType<typeof ruleEntry>) => entry.object?.spec.to[0]?.hosts?.[0];

test("what cannot be used leaves what could, for as long as it is the same object", () => {
  const good = ruleEntry(raw(tls("one.test"), 1), undefined);
  assert.equal(good.problem, undefined);
  const bad = ruleEntry(raw(tls("*"), 2), good);
  assert.equal(hostOf(bad), "one.test");
  assert.match(bad.problem ?? "", /^spec\.to\[0\]\.hosts\[0\]: /);
  assert.equal(bad.generation, 2);
  const worse = ruleEntry(raw("nothing", 3), bad);
  assert.equal(hostOf(worse), "one.test");
  assert.match(worse.problem ?? "", /^spec: /);
  const mended = ruleEntry(raw(tls("two.test"), 4), worse);
  assert.equal(hostOf(mended), "two.test");
  assert.equal(mended.problem, undefined);
  const metadata = { ...raw({}, 1).metadata, uid: "u2" };
  const another = ruleEntry(raw(tls("*"), 1, { metadata }), mended);
  assert.equal(another.object, undefined);
});

test("of very many and very long mistakes a few are told", () => {
  const hosts = (text: string) => ({
    ...tls("*"),
    to: [{ ...tls("*").to[0], hosts: Array(900).fill(text) }],
  });
  assert.match(
    ruleEntry(raw(hosts("*"), 1), undefined).problem ?? "",
    /hosts\[4\]: .*; and 895 more$/,
  );
  const long = ruleEntry(raw(hosts("x".repeat(10_000)), 1), undefined);
  assert.equal(long.problem?.length, 2_000);
});

test("a status that is written leaves the object as it is; one that cannot be understood is none", () => {
  const first = ruleEntry(raw(tls("one.test"), 1), undefined);
  const second = ruleEntry(raw(tls("one.test"), 1, { status: { matchedPods: 3 } }), first);
  assert.equal(second.object, first.object);
  assert.deepEqual(second.status, { matchedPods: 3 });
  const third = ruleEntry(raw(tls("one.test"), 1, { status: { matchedPods: "many" } }), second);
  assert.equal(third.status, undefined);
  const poison = ruleEntry(raw(tls("*"), 2), third);
  assert.equal(ruleEntry(raw(tls("*"), 2, { status: {} }), poison).problem, poison.problem);
});

test("fields that are not known make it unusable; what the API server adds to its metadata does not, and is not kept", () => {
  const metadata = { ...raw({}, 1).metadata, managedFields: [{ manager: "kubectl" }] };
  const rule = ruleEntry(raw(tls("one.test"), 1, { metadata }), undefined);
  assert.deepEqual(rule.object?.metadata, { name: "pay", namespace: "shop" });
  const odd = ruleEntry(raw({ ...tls("one.test"), methods: ["GET"] }, 1), undefined);
  assert.match(odd.problem ?? "", /methods/);
});

for (const [what, spec, reach] of [
  [
    "by a selector that can be read",
    { namespaceSelector: { matchLabels: { a: "b" } }, deny: 1 },
    { matchLabels: { a: "b" } },
  ],
  ["by none: it may be over all", { deny: 1 }, undefined],
  ["by one that cannot: it may be over all", { namespaceSelector: { a: "b" } }, undefined],
  ["by no spec: it may be over all", undefined, undefined],
] as const)
  test(`an unusable boundary reaches namespaces ${what}`, () => {
    const entry = boundaryEntry(raw(spec, 1), undefined);
    assert.equal(entry.object, undefined);
    assert.deepEqual(entry.reach, reach);
  });
