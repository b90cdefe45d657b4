import assert from "node:assert/strict";
import { test } from "node:test";
import { EgressBoundary, EgressRule } from "@sallyport/core/rules";
import { Cluster, compile, PolicySnapshot } from "@sallyport/core/snapshot";
import fc from "fast-check";
import { clusterPart } from "../../src/rules/composition.ts";
import type { KnownRule } from "../../src/rules/knowledge.ts";
import { MOST_KEPT, PolicyBook } from "../../src/rules/policy-book.ts";
import type { BoundaryEntry } from "../../src/rules/policy-object.ts";

const tls = (host: string) => [{ hosts: [host], ports: [{ port: 443, protocol: "tls" as const }] }];

function rule(
  namespace: string,
  name: string,
  host: string,
  matchLabels?: Record<string, string>,
  generation = 1,
): KnownRule {
  const spec = { to: tls(host), ...(matchLabels && { selector: { matchLabels } }) };
  const header = { apiVersion: "sallyport.dev/v1alpha1", kind: "EgressRule" } as const;
  const object = EgressRule.parse({ ...header, metadata: { name, namespace }, spec });
  return {
    kind: "EgressRule",
    namespace,
    name,
    uid: `${namespace}/${name}`,
    generation,
    object,
    status: undefined,
  };
}

function boundary(name: string, spec: object, generation = 1): BoundaryEntry {
  const header = { apiVersion: "sallyport.dev/v1alpha1", kind: "EgressBoundary" } as const;
  const object = EgressBoundary.parse({ ...header, metadata: { name }, spec });
  return { kind: "EgressBoundary", name, uid: name, generation, object, status: undefined };
}

const unusable = (name: string, reach?: BoundaryEntry["reach"]): BoundaryEntry => ({
  ...{ kind: "EgressBoundary", name, uid: name, generation: 1, object: undefined },
  ...{ problem: "spec.deny: expected a list", status: undefined, ...(reach && { reach }) },
});

const CLUSTER = Cluster.parse({ ranges: ["10.0.0.0/8"] });
const partOf = (cluster: Cluster) =>
  clusterPart({
    cluster,
    resolvers: ["10.96.0.10"],
    misses: [],
    unheard: [],
    isOrdinary: () => true,
  });

function book(...namespaces: readonly string[]): PolicyBook {
  const made = new PolicyBook("enforce");
  made.setCluster(partOf(CLUSTER));
  for (const name of namespaces) made.setLabels(name, { name });
  return made;
}

test("pods for whom the same rules are have one content, whatever else their labels say", () => {
  const it = book("shop");
  it.setRule(undefined, rule("shop", "all", "all.test"));
  it.setRule(undefined, rule("shop", "web", "web.test", { app: "web" }));
  const page = (labels: Record<string, string>) => it.page("shop", labels).content;
  assert.equal(page({ app: "web", pod: "1" }), page({ pod: "2", app: "web" }));
  assert.equal(page({ app: "other" }), page({}));
  assert.notEqual(page({ app: "web" })?.revision, page({})?.revision);
  assert.deepEqual(
    page({ app: "web" })?.origins.map(({ name }) => name),
    ["all", "web"],
  );
});

test("of labels that are never the same no more is kept than may be there at once, and all have the cluster as it is", () => {
  const it = book("shop");
  it.setRule(undefined, rule("shop", "jobs", "jobs.test", { job: "job-0" }));
  const page = (job: number) => it.page("shop", { job: `job-${job}` }).content;
  const [first, second] = [page(0), page(1)];
  for (let job = 2; job < MOST_KEPT; job++) assert.equal(page(job), second);
  const anew = page(MOST_KEPT);
  assert.notEqual(anew, second, "it was forgotten");
  assert.equal(anew?.revision, second?.revision);
  assert.equal(page(0)?.revision, first?.revision);
  it.setCluster(partOf(Cluster.parse({ ranges: ["10.0.0.0/9"] })));
  for (const job of [0, 1, MOST_KEPT])
    assert.match(page(job)?.json ?? "", /"ranges":\["10\.0\.0\.0\/9"\]/);
});

test("the text is the snapshot that compile gives, and no line break is in it", () => {
  const it = book("shop");
  const rules = [rule("shop", "a", "a.test"), rule("shop", "b", "b.test")];
  for (const each of [...rules].reverse()) it.setRule(undefined, each);
  const guard = boundary("guard", { deny: tls("*.evil.test"), mode: "audit" });
  it.setBoundary(undefined, guard);
  const json = it.page("shop", {}).content?.json ?? "";
  assert.doesNotMatch(json, /\n/);
  const objects = rules.flatMap(({ object }) => (object ? [object] : []));
  const pod = { namespace: "shop", labels: {}, namespaceLabels: { name: "shop" } };
  const expected = compile(objects, guard.object ? [guard.object] : [], pod, {
    mode: "enforce",
    cluster: CLUSTER,
    resolvers: ["10.96.0.10"],
  });
  assert.deepEqual(PolicySnapshot.parse(JSON.parse(json)), expected);
});

test("the same content has the same revision, in whichever order it became known", () => {
  const [one, other] = [book("shop"), book("shop")];
  const rules = [rule("shop", "a", "a.test"), rule("shop", "b", "b.test", { app: "web" })];
  const boundaries = [
    boundary("x", { deny: tls("x.test") }),
    boundary("y", { allow: tls("a.test") }),
  ];
  for (const each of rules) one.setRule(undefined, each);
  for (const each of boundaries) one.setBoundary(undefined, each);
  for (const each of [...boundaries].reverse()) other.setBoundary(undefined, each);
  for (const each of [...rules].reverse()) other.setRule(undefined, each);
  const labels = { app: "web" };
  assert.equal(
    one.page("shop", labels).content?.revision,
    other.page("shop", labels).content?.revision,
  );
});

test("a change is of those whom it concerns, and the others keep what they have", () => {
  const it = book("shop", "bank");
  const old = rule("shop", "a", "a.test");
  it.setRule(undefined, old);
  const before = it.page("bank", {});
  const shop = it.page("shop", {});
  assert.equal(it.setRule(old, rule("shop", "a", "b.test", undefined, 2)), "shop");
  assert.notEqual(it.page("shop", {}), shop);
  assert.equal(it.page("bank", {}), before);
  const guard = boundary("guard", { namespaceSelector: { matchLabels: { name: "shop" } } });
  assert.deepEqual(it.setBoundary(undefined, guard), ["shop"]);
  const moved = boundary("guard", { namespaceSelector: { matchLabels: { name: "bank" } } }, 2);
  assert.deepEqual(it.setBoundary(guard, moved).sort(), ["bank", "shop"]);
  assert.deepEqual(it.setBoundary(moved, undefined), ["bank"]);
});

test("a status that is written concerns nobody, and is told of the boundary over a namespace", () => {
  const it = book("shop");
  const [was, guard] = [rule("shop", "a", "a.test"), boundary("guard", {})];
  it.setRule(undefined, was);
  it.setBoundary(undefined, guard);
  const page = it.page("shop", {});
  assert.equal(it.setRule(was, { ...was, status: { matchedPods: 1 } }), undefined);
  assert.deepEqual(it.setBoundary(guard, { ...guard, status: { matchedPods: 1 } }), []);
  assert.equal(it.page("shop", {}), page);
  assert.deepEqual(it.over("shop")?.[0]?.status, { matchedPods: 1 });
});

test("the cluster is everybody's: another one makes other revisions, the same one the same", () => {
  const it = book("shop");
  const before = it.page("shop", {}).content;
  it.setCluster(partOf({ ...CLUSTER, ranges: ["10.0.0.0/9"] }));
  assert.notEqual(it.page("shop", {}).content?.revision, before?.revision);
  it.setCluster(partOf(CLUSTER));
  assert.deepEqual(it.page("shop", {}).content, before);
});

test("before the namespace or the cluster is known there is no policy", () => {
  assert.match(book().page("shop", {}).why ?? "", /namespace shop is not known/);
  const it = new PolicyBook("enforce");
  it.setLabels("shop", {});
  assert.match(it.page("shop", {}).why ?? "", /cluster is not known/);
  assert.equal(it.over("other"), undefined);
});

test("under an unusable boundary nothing is sent, and the closed policy has no ceiling but an empty one", () => {
  const it = book("shop", "bank");
  it.setRule(undefined, rule("shop", "a", "a.test"));
  it.setBoundary(undefined, boundary("other", { mode: "audit", deny: tls("x.test") }));
  it.setBoundary(undefined, unusable("guard", { matchLabels: { name: "shop" } }));
  const { content, why, closed } = it.page("shop", {});
  assert.equal(content, undefined);
  assert.equal(why, "boundary guard cannot be used (spec.deny: expected a list)");
  const snapshot = PolicySnapshot.parse(JSON.parse(closed?.json ?? ""));
  assert.equal(snapshot.mode, "enforce");
  assert.deepEqual(snapshot.ceilings, [{ boundary: "guard", allow: [] }]);
  assert.equal(snapshot.deny.length, 1);
  assert.ok(it.page("bank", {}).content, "where it does not reach all is as ever");
  it.setBoundary(undefined, unusable("any"));
  assert.equal(it.page("bank", {}).content, undefined);
});

test("a rule of no use counts as absent", () => {
  const it = book("shop");
  const without = it.page("shop", {}).content?.revision;
  const { object: _, ...rest } = rule("shop", "a", "a.test");
  it.setRule(undefined, { ...rest, object: undefined, problem: "spec: wrong" });
  assert.equal(it.page("shop", {}).content?.revision, without);
});

test("two namespaces never see each other's rules, whatever comes and goes", () => {
  const NAMESPACES = ["n0", "n1", "n2"] as const;
  const labels = fc.record({ app: fc.constantFrom("a", "b"), tier: fc.constantFrom("x", "y") });
  const selector = fc.option(fc.constantFrom({ app: "a" }, { app: "b" }, { tier: "x" }), {
    nil: undefined,
  });
  const step = fc.record({
    namespace: fc.constantFrom(...NAMESPACES),
    name: fc.constantFrom("r0", "r1", "r2"),
    selector,
    gone: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), labels, (steps, podLabels) => {
      const it = book(...NAMESPACES);
      const now = new Map<string, KnownRule>();
      for (const [i, { namespace, name, selector: matchLabels, gone }] of steps.entries()) {
        const key = `${namespace}/${name}`;
        const before = now.get(key);
        // Names and hosts say whose they are.
        const after = gone
          ? undefined
          : rule(
              namespace,
              `${name}-of-${namespace}`,
              `h${i}.${namespace}.test`,
              matchLabels,
              i + 1,
            );
        const known = after && { ...after, uid: key };
        it.setRule(before, known);
        if (known) now.set(key, known);
        else now.delete(key);
        for (const one of NAMESPACES) {
          const { content } = it.page(one, podLabels);
          const text = JSON.stringify([content?.json, content?.origins]);
          for (const other of NAMESPACES)
            if (other !== one) {
              assert.ok(!text.includes(`of-${other}`), text);
              assert.ok(!text.includes(`.${other}.test`), text);
            }
          const objects = [...now.values()]
            .filter((each) => each.namespace === one)
            .sort((a, b) => (a.name < b.name ? -1 : 1))
            .flatMap(({ object }) => (object ? [object] : []));
          const pod = { namespace: one, labels: podLabels, namespaceLabels: {} };
          const fresh = compile(objects, [], pod, {
            mode: "enforce",
            cluster: CLUSTER,
            resolvers: [],
          });
          assert.deepEqual(
            JSON.parse(content?.json ?? "").rules,
            fresh.rules,
            "as if compiled anew",
          );
        }
      }
    }),
    { numRuns: 60 },
  );
});
