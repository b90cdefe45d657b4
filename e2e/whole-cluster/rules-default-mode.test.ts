import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { V1Pod } from "@kubernetes/client-node";
import { idle } from "./support/containers.ts";
import { lacking } from "./support/given.ts";
import { CHART, helm, RELEASE, revision } from "./support/helm.ts";
import { apply, kubectl, read } from "./support/kubectl.ts";
import { INJECTED, pod } from "./support/objects.ts";
import { outsideIsThere } from "./support/outside.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { Probe } from "./support/probes.ts";
import { enforcedIn, httpTo, ruleOf } from "./support/rules.ts";
import { waitFor } from "./support/waiting.ts";
import { lackingWorld, serveInWorld } from "./support/world.ts";

const skip = lacking || lackingWorld();
const namespace = ownNamespace("rules-default-mode", ENABLED);
outsideIsThere();

const guarded = enforcedIn(ownNamespace("rules-default-mode-boundary", ENABLED));

const API = "http://api.example.com/";
const WEB = "http://web.example.com/";

let firstRevision: number;
let asItWas = true;
let probe: Probe;
before(async () => {
  if (skip) return;
  firstRevision = await revision();
  await apply(namespace, ruleOf("api", httpTo("api.example.com")));
  probe = await Probe.start(namespace, [API, WEB]);
});
after(async () => {
  if (!asItWas) await helm("rollback", RELEASE, String(firstRevision), "--wait", "--timeout", "3m");
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
    asItWas = false;
    const set = ["--reuse-values", "--set", `defaultMode=${mode}`];
    await helm("upgrade", RELEASE, CHART, ...set, "--wait", "--timeout", "3m");
    await probe.sees(WEB, outcome);
    // One that is made now is told of the cluster's name server when its packets are told where they may go.
    const young = await Probe.start(namespace, [API, WEB], { name: `young-${mode}` });
    await young.sees(API, "200");
    await young.sees(WEB, outcome);
  }
  asItWas = true;
  const outcomes = (await probe.changes()).filter(({ url }) => url === API);
  assert.deepEqual(
    outcomes.map(({ outcome }) => outcome),
    ["200"],
    "what the rule permits never failed",
  );
  assert.equal((await read<V1Pod>(namespace, "pod", "probe")).metadata?.uid, metadata?.uid);
});

test("a boundary that enforces, where the installation does not: a pod that is made under it sends no UDP outside, and finds names all the same", {
  skip,
}, async () => {
  await using world = await serveInWorld();
  const said = async (where: string) => {
    await apply(where, pod("app", { containers: [idle()] }, INJECTED));
    await waitFor(where, "pod/app", "condition=Ready");
    const udp = `echo heard | nc -u -w 1 ${world.addresses.IPv4} ${world.udp} || true`;
    const found = await kubectl(
      "exec",
      "app",
      "-n",
      where,
      "--",
      "getent",
      "hosts",
      "api.example.com",
    );
    return [await kubectl("exec", "app", "-n", where, "--", "sh", "-c", udp), found !== ""];
  };
  assert.deepEqual(await said(namespace), ["heard\n", true]);
  assert.deepEqual(await said(guarded), ["", true]);
});
