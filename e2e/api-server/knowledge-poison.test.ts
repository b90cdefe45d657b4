import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { lackingApiServer } from "../cluster/api-server.ts";
import { type KnowledgeBed, ruleNames, startKnowledgeBed, tls } from "./knowledge-bed.ts";
import { until } from "./until.ts";

const skip = lackingApiServer();
let bed: KnowledgeBed;

// A cluster where nothing judges rules before they are stored.
before(async () => {
  if (!skip) bed = await startKnowledgeBed({ crds: "lax" });
});
after(() => bed?.[Symbol.asyncDispose]());

const POISON = { to: [{ hosts: ["*"], ports: [{ port: 443, protocol: "tls" }] }] };
const ruleOf = (namespace: string, name: string) =>
  [...bed.knowledge.rules()].find((rule) => rule.namespace === namespace && rule.name === name);

test("a rule that is changed into what cannot be used goes on as it was, and says why", {
  skip,
}, async () => {
  await bed.namespace("kept");
  const pod = await bed.pod("kept", "it");
  await bed.rule("kept", "pay", { to: [tls("pay.example.com")] });
  await bed.rule("kept", "mail", { to: [tls("mail.example.com")] });
  const good = await bed.snapshot(pod, "both", ({ rules }) => rules.length === 2);
  await bed.changeRule("kept", "pay", { spec: POISON });
  const known = await until(
    "its problem",
    async () => ruleOf("kept", "pay"),
    (rule) => rule?.problem !== undefined,
  );
  assert.match(known?.problem ?? "", /^spec\.to\[0\]\.hosts\[0\]: /);
  assert.equal(known?.generation, 2);
  assert.deepEqual((await bed.snapshot(pod, "it", () => true)).rules, good.rules);
  // Who has seen it only like this knows nothing of before.
  const end = new AbortController();
  const other = bed.follow(end.signal);
  const fresh = await bed.snapshot(pod, "the other rule", ({ rules }) => rules.length === 1, other);
  assert.deepEqual(ruleNames(fresh), ["kept/mail"]);
  end.abort();

  await bed.changeRule("kept", "pay", { spec: { to: [tls("pay.example.org")] } });
  await bed.snapshot(pod, "the mended one", ({ rules }) =>
    rules.some(({ hosts }) => hosts?.[0] === "pay.example.org"),
  );
  assert.equal(ruleOf("kept", "pay")?.problem, undefined);
});

test("a rule that never could be used counts as absent, and one that is made anew is another", {
  skip,
}, async () => {
  await bed.namespace("absent");
  const pod = await bed.pod("absent", "it");
  await bed.rule("absent", "pay", { to: [tls("pay.example.com")] });
  await bed.snapshot(pod, "it", ({ rules }) => rules.length === 1);
  await bed.removeRule("absent", "pay");
  await bed.snapshot(pod, "none", ({ rules }) => rules.length === 0);
  await bed.rule("absent", "pay", POISON);
  await until(
    "its problem",
    async () => ruleOf("absent", "pay")?.problem,
    (text) => text !== undefined,
  );
  assert.deepEqual((await bed.snapshot(pod, "it", () => true)).rules, []);
});

test("under a boundary that never could be used nothing is sent, and who has nothing gets a closed policy", {
  skip,
}, async () => {
  await bed.namespace("under", { tier: "guarded" });
  await bed.namespace("free", { tier: "other" });
  const [pod, free] = [await bed.pod("under", "it"), await bed.pod("free", "it")];
  for (const namespace of ["under", "free"])
    await bed.rule(namespace, "pay", { to: [tls("pay.example.com")] });
  await bed.snapshot(pod, "the rule", ({ rules }) => rules.length === 1);
  let calls = 0;
  const end = bed.knowledge.subscribe(pod, () => calls++);
  await bed.boundary("guard", {
    namespaceSelector: { matchLabels: { tier: "guarded" } },
    deny: "everything",
  });
  const found = await until(
    "nothing",
    async () => bed.knowledge.of(pod),
    (each) => each?.why !== undefined,
  );
  assert.equal(found?.compiled, undefined);
  assert.match(found?.why ?? "", /boundary guard cannot be used \(spec\.deny: /);
  const closed = JSON.parse(found?.closed?.json ?? "");
  assert.equal(closed.mode, "enforce");
  assert.deepEqual(closed.ceilings, [{ boundary: "guard", allow: [] }]);
  await until(
    "its subscribers are told",
    async () => calls,
    (count) => count > 0,
  );
  assert.deepEqual(ruleNames(await bed.snapshot(free, "no boundary there", () => true)), [
    "free/pay",
  ]);
  assert.deepEqual(
    bed.knowledge.boundariesOver("under")?.map(({ name }) => name),
    ["guard"],
  );
  assert.deepEqual(bed.knowledge.boundariesOver("free"), []);

  await bed.changeBoundary("guard", { spec: { deny: [tls("*.example.net")] } });
  await bed.snapshot(pod, "the boundary", ({ deny }) => deny.length === 1);
  // From now on there is a good one to go back to.
  await bed.changeBoundary("guard", { spec: { deny: "everything" } });
  await until(
    "its problem",
    async () => [...bed.knowledge.boundaries()][0]?.problem,
    (text) => text !== undefined,
  );
  assert.equal((await bed.snapshot(pod, "the good one", () => true)).deny.length, 1);
  await bed.removeBoundary("guard");
  await bed.snapshot(pod, "none", ({ deny }) => deny.length === 0);
  end();
});
