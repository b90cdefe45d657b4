import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PolicySnapshot } from "@sallyport/core/snapshot";
import { lackingApiServer } from "../cluster/api-server.ts";
import { expired, serveBed, tokenFor, unboundToken } from "./delivery-bed.ts";
import { type KnowledgeBed, ruleNames, startKnowledgeBed, tls } from "./knowledge-bed.ts";
import { until } from "./until.ts";

const skip = lackingApiServer();
let bed: KnowledgeBed;
let controller: Awaited<ReturnType<typeof serveBed>>;

before(async () => {
  if (skip) return;
  bed = await startKnowledgeBed();
  controller = await serveBed(bed);
  await bed.namespace("shop");
  await bed.rule("shop", "payments", {
    selector: { matchLabels: { app: "web" } },
    to: [tls("pay.example.com")],
  });
  await bed.settled(await bed.pod("shop", "first"));
});
after(async () => {
  await controller?.[Symbol.asyncDispose]();
  await bed?.[Symbol.asyncDispose]();
});

const snapshotIn = (line: { readonly snapshot?: unknown }) => PolicySnapshot.parse(line.snapshot);

test("a pod's token opens that pod's policy, within a change of its rules, and no other's", {
  skip,
}, async () => {
  const [web, cart] = [
    await bed.pod("shop", "web", { app: "web" }),
    await bed.pod("shop", "cart", { app: "cart" }),
  ];
  await using one = await controller.ask(await tokenFor(bed.core, web));
  await using other = await controller.ask(await tokenFor(bed.core, cart));
  const [first, second] = [await one.hello(), await other.hello()];
  assert.deepEqual(ruleNames(snapshotIn(first)), ["shop/payments"]);
  assert.deepEqual(ruleNames(snapshotIn(second)), []);
  one.say({ type: "applied", revision: first.revision });
  other.say({ type: "applied", revision: second.revision });

  await bed.changeRule("shop", "payments", { spec: { to: [tls("pay.example.org")] } });
  const changed = await one.next(({ type }) => type === "snapshot", 1);
  assert.deepEqual(snapshotIn(changed).rules[0]?.hosts, ["pay.example.org"]);
  assert.equal(other.lines.filter(({ type }) => type === "snapshot").length, 1);
});

test("what a sidecar has is resumed by another controller, and never taken back by one that is behind", {
  skip,
}, async () => {
  const pod = await bed.pod("shop", "resumes", { app: "web" });
  const token = await tokenFor(bed.core, pod);
  await using here = await controller.ask(token);
  const first = await here.hello();
  await using elsewhere = await serveBed(bed, bed.follow());
  // It may have been asked before it has listed anything.
  await until(
    "it knows",
    async () => (await elsewhere.ask(token)).head?.status,
    (status) => status === 101,
  );
  await using there = await elsewhere.ask(token);
  const have = { revision: first.revision, basis: first.basis };
  assert.equal((await there.hello(have)).type, "current");

  // As from an API server that was set back to before: nothing that it says covers this.
  const later = String(BigInt(have.basis.egressrules ?? 0) + 1_000_000n);
  await using again = await elsewhere.ask(token);
  const set = await again.hello({ ...have, basis: { ...have.basis, egressrules: later } });
  assert.deepEqual([set.type, set.rewound], ["snapshot", true]);
});

test("nobody else is given anything, and each is told why", { skip }, async () => {
  const web = await bed.pod("shop", "asks", { app: "web" });
  const token = await tokenFor(bed.core, web);
  const bare = await bed.core.createNamespacedPod({
    namespace: "shop",
    body: {
      metadata: { name: "bare" },
      spec: { containers: [{ name: "app", image: "example.test/i" }] },
    },
  });
  const gone = await bed.pod("shop", "gone");
  const tokenOfGone = await tokenFor(bed.core, gone);
  await bed.core.deleteNamespacedPod({ namespace: "shop", name: "gone", gracePeriodSeconds: 0 });
  const uid = bare.metadata?.uid ?? "";
  const cases: readonly [string, string | undefined, number, RegExp][] = [
    ["no token", undefined, 401, /expected Authorization: Bearer/],
    ["no token at all", "abc", 401, /does not accept this token/],
    ["a forged one", `${token.slice(0, -8)}AAAAAAAA`, 401, /does not accept this token/],
    ["an expired one", expired(token, bed.behind.kubeconfig), 401, /expired/],
    ["another audience's", await tokenFor(bed.core, web, "vault"), 401, /audience/],
    ["one that is bound to no pod", await unboundToken(bed.core, "shop"), 403, /bound to no pod/],
    [
      "a pod's that has no sidecar",
      await tokenFor(bed.core, { namespace: "shop", name: "bare", uid }),
      403,
      /has a sidecar/,
    ],
    ["a deleted pod's", tokenOfGone, 401, /does not accept this token/],
  ];
  for (const [what, given, status, text] of cases) {
    await using client = await controller.ask(given);
    assert.equal(client.head?.status, status, `${what}: ${client.head?.text}`);
    assert.match(client.head?.text ?? "", text, what);
    await client.until(() => client.ended);
  }
  await using client = await controller.ask(token);
  assert.equal(client.head?.status, 101, "and the right one is let in");
});

test("while the API server is away a new token is put off, one that was reviewed goes on, and nothing is a yes", {
  skip,
}, async () => {
  const [known, fresh] = [
    await bed.pod("shop", "known", { app: "web" }),
    await bed.pod("shop", "fresh", { app: "web" }),
  ];
  const [token, unknown] = [await tokenFor(bed.core, known), await tokenFor(bed.core, fresh)];
  await using open = await controller.ask(token);
  const first = await open.hello();
  open.say({ type: "applied", revision: first.revision });
  bed.away(true);
  try {
    await using refused = await controller.ask(unknown);
    assert.equal(refused.head?.status, 503, refused.head?.text);
    assert.match(refused.head?.fields["retry-after"] ?? "", /^[12]$/);
    await using again = await controller.ask(token);
    const resumed = await again.hello({
      revision: first.revision,
      basis: first.basis,
    });
    assert.equal(resumed.type, "current");
  } finally {
    bed.away(false);
  }
  await until(
    "it is let in",
    async () => {
      await using client = await controller.ask(unknown);
      return client.head?.status;
    },
    (status) => status === 101,
  );
});

test("a pod that is labelled otherwise has other rules while its stream is open; the stream ends with the pod, and its token then opens nothing", {
  skip,
}, async () => {
  const pod = await bed.pod("shop", "moves", { app: "other" });
  const token = await tokenFor(bed.core, pod);
  await using stream = await controller.ask(token);
  const first = await stream.hello();
  assert.deepEqual(ruleNames(snapshotIn(first)), []);
  stream.say({ type: "applied", revision: first.revision });
  await bed.core.patchNamespacedPod({
    ...{ namespace: "shop", name: "moves" },
    body: [{ op: "replace", path: "/metadata/labels/app", value: "web" }],
  });
  const moved = await stream.next(({ type }) => type === "snapshot", 1);
  assert.deepEqual(ruleNames(snapshotIn(moved)), ["shop/payments"]);
  stream.say({ type: "applied", revision: moved.revision });

  await bed.core.deleteNamespacedPod({ namespace: "shop", name: "moves", gracePeriodSeconds: 0 });
  await stream.until(() => stream.ended);
  assert.match(JSON.stringify(stream.lines.at(-1)), /the pod is no more/);
  await using again = await controller.ask(token);
  assert.equal(again.head?.status, 403, "what was said of its token counts for ten minutes more");
  assert.match(again.head?.text ?? "", /knows no running pod/);
});
