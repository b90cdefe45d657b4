import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lackingOwnBed, startWebhookBed } from "./webhook-bed.ts";

/** As the threat model shows it. */
const DOCUMENT = join(import.meta.dirname, "../../docs/threat-model.md");
const [, POLICY = ""] =
  /```yaml\n((?:(?!```).)*?kind: NetworkPolicy.*?)\n *```/s.exec(readFileSync(DOCUMENT, "utf8")) ??
  [];

test("the NetworkPolicy of the threat model is one: outside of the cluster it leaves TCP alone", {
  skip: lackingOwnBed,
}, async () => {
  await using bed = await startWebhookBed();
  const namespace = await bed.namespace("all");
  const text = POLICY.replaceAll(/^ {2}/gm, "").replace(
    "namespace: shop",
    `namespace: ${namespace}`,
  );
  const applied = await bed.kubectl(["apply", "--validate=strict", "-f", "-", "-o", "json"], text);
  assert.equal(applied.status, 0, applied.stderr);
  const { spec } = JSON.parse(applied.stdout);
  const [inside, outside, ...more] = spec.egress;
  assert.deepEqual([inside, more], [{ to: [{ namespaceSelector: {} }] }, []]);
  assert.deepEqual(outside.ports, [{ protocol: "TCP", port: 1, endPort: 65_535 }]);
  assert.deepEqual(
    outside.to.map(({ ipBlock }: { ipBlock: { cidr: string } }) => ipBlock.cidr),
    ["0.0.0.0/0", "::/0"],
  );
});
