import assert from "node:assert/strict";
import { before, test } from "node:test";
import { lacking } from "./support/given.ts";
import { latenciesOf, tableOf } from "./support/latencies.ts";
import { outsideIsThere } from "./support/outside.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { Probe } from "./support/probes.ts";
import { createRule, deleteRule, enforcedIn, httpTo, ruleOf } from "./support/rules.ts";
import { lackingWorld } from "./support/world.ts";

const skip = lacking || lackingWorld();
const namespace = enforcedIn(ownNamespace("apply-to-effect", ENABLED));
outsideIsThere();

const URL = "http://web.example.com/";
const CHANGES = 100;
/** The goal is a second; a machine that does something else meanwhile is given more. */
const MOST_MS = 5_000;

let probe: Probe;
before(async () => {
  if (skip) return;
  probe = await Probe.start(namespace, [URL], { gapMs: 5 });
  await probe.sees(URL, "403");
});

test(`${CHANGES} rules, applied and deleted, each take effect in a running pod in a moment`, {
  skip,
}, async (t) => {
  const rule = ruleOf("web", httpTo("web.example.com"));
  const [written, applied, deleted]: [number[], number[], number[]] = [[], [], []];
  for (let change = 0; change < CHANGES; change++) {
    const applies = change % 2 === 0;
    const start = Date.now();
    await (applies ? createRule(namespace, rule) : deleteRule(namespace, "web"));
    written.push(Date.now() - start);
    const { atMs } = await probe.sees(URL, applies ? "200" : "403");
    (applies ? applied : deleted).push(Math.max(0, atMs - start));
  }
  const all = latenciesOf([...applied, ...deleted]);
  const rows = {
    "the API server has answered": latenciesOf(written),
    "a rule is applied": latenciesOf(applied),
    "a rule is deleted": latenciesOf(deleted),
    "from the write to the effect, both": all,
  };
  t.diagnostic(`\n${tableOf(rows)}`);
  assert.ok(all.p99 <= MOST_MS, `p99 ${all.p99} ms`);
});
