import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { V1Pod } from "@kubernetes/client-node";
import { lacking } from "./support/given.ts";
import { CHART, helm, RELEASE, revision } from "./support/helm.ts";
import { apply, read } from "./support/kubectl.ts";
import { outsideIsThere } from "./support/outside.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { Probe } from "./support/probes.ts";
import { httpTo, ruleOf } from "./support/rules.ts";
import { lackingWorld } from "./support/world.ts";

const skip = lacking || lackingWorld();
const namespace = ownNamespace("rules-default-mode", ENABLED);
outsideIsThere();

const API = "http://api.example.com/";
const WEB = "http://web.example.com/";

let firstRevision: number;
let probe: Probe;
before(async () => {
  if (skip) return;
  firstRevision = await revision();
  await apply(namespace, ruleOf("api", httpTo("api.example.com")));
  probe = await Probe.start(namespace, [API, WEB]);
});
after(async () => {
  if (!skip) await helm("rollback", RELEASE, String(firstRevision), "--wait", "--timeout", "3m");
});

test("where no boundary is, the chart's defaultMode counts, for pods that run already: audit lets pass, enforce refuses what no rule permits", {
  skip,
}, async () => {
  await probe.sees(API, "200");
  await probe.sees(WEB, "200");
  const { metadata } = await read<V1Pod>(namespace, "pod", "probe");
  for (const [mode, outcome] of [
    ["enforce", "403"],
    ["audit", "200"],
  ] as const) {
    const set = ["--reuse-values", "--set", `defaultMode=${mode}`];
    await helm("upgrade", RELEASE, CHART, ...set, "--wait", "--timeout", "3m");
    await probe.sees(WEB, outcome);
  }
  const outcomes = (await probe.changes()).filter(({ url }) => url === API);
  assert.deepEqual(
    outcomes.map(({ outcome }) => outcome),
    ["200"],
    "what the rule permits never failed",
  );
  assert.equal((await read<V1Pod>(namespace, "pod", "probe")).metadata?.uid, metadata?.uid);
});
