import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { needsAction } from "@sallyport/cli/check/findings";
import { judgeCertificates } from "@sallyport/cli/check/judge-certificates";
import { type Any, factsOf } from "./facts-of.ts";

/**
 * Made by openssl for ten years: root signs intermediate signs leaf; intermediate-short is the same one for 30 days. Leaf and
 * self-signed are for sallyport.sallyport-system.svc.
 */
const pem = (name: string) =>
  readFileSync(join(import.meta.dirname, "chain", `${name}.pem`), "utf8");
const base64 = (...names: readonly string[]) =>
  Buffer.from(names.map(pem).join("")).toString("base64");

const ISSUED = Date.parse("2026-11-21T15:04:52Z");
const DAY_MS = 86_400_000;
const LIFE_DAYS = 3_650;

const certManager = { "cert-manager.io/inject-ca-from": "sallyport-system/sallyport-tls" };
const SOURCES = {
  generated: { secretName: "sallyport-certificate", annotations: {} },
  certManager: { secretName: "sallyport-tls", annotations: certManager },
  files: { secretName: "webhook-tls", annotations: {} },
} as const;

function judged(
  served: readonly string[],
  trusted: readonly string[],
  { days = 1, source = "files", service = "sallyport" }: Any = {},
) {
  const { secretName, annotations } = SOURCES[source as keyof typeof SOURCES];
  const clientConfig = {
    service: { name: service, namespace: "sallyport-system" },
    caBundle: base64(...trusted),
  };
  const webhooks = [{ name: "all.pods.sallyport.dev", clientConfig }];
  return judgeCertificates(
    factsOf({
      secretName,
      secret: { value: { data: { "tls.crt": base64(...served) } } },
      mutating: { value: { metadata: { annotations }, webhooks } },
    }),
    ISSUED + days * DAY_MS,
  );
}

for (const [what, served, trusted, more, expected] of [
  ["a chain, and its root is trusted", ["leaf", "intermediate"], ["root"], {}, []],
  ["the certificate alone, and its issuer is trusted", ["leaf"], ["intermediate"], {}, []],
  [
    "a chain with its root, another one and itself, in any order",
    ["leaf", "root", "self-signed", "intermediate"],
    ["self-signed", "root"],
    {},
    [],
  ],
  ["one that signed itself, and is trusted", ["self-signed"], ["self-signed"], {}, []],
  [
    "the certificate alone, and only its root is trusted",
    ["leaf"],
    ["root"],
    {},
    ["ca_not_of_certificate"],
  ],
  [
    "a chain, and another root is trusted",
    ["leaf", "intermediate"],
    ["self-signed"],
    {},
    ["ca_not_of_certificate"],
  ],
  [
    "a chain with an intermediate that has expired",
    ["leaf", "intermediate-short"],
    ["root"],
    { days: 31 },
    ["ca_not_of_certificate"],
  ],
  [
    "an intermediate that has expired, and one that has not",
    ["leaf", "intermediate-short", "intermediate"],
    ["root"],
    { days: 31 },
    [],
  ],
  [
    "another name than the webhook's",
    ["leaf", "intermediate"],
    ["root"],
    { service: "other" },
    ["certificate_name"],
  ],
] as const)
  test(`served is ${what}: ${expected.join(", ") || "all is well"}`, () => {
    const { findings, daysLeft } = judged(served, trusted, more);
    assert.deepEqual(
      findings.map(({ code }) => code),
      expected,
    );
    assert.ok(daysLeft && daysLeft > 3_000);
  });

for (const [source, code, remedy] of [
  ["generated", "certificate_overdue", /leading controller renews it.*kubectl logs/],
  ["certManager", "certificate_overdue", /cert-manager renews it.*kubectl describe/],
  ["files", "certificate_ageing", /new one into Secret webhook-tls/],
] as const)
  test(`${source}: with three quarters of its life over it is ${code}`, () => {
    const life = (part: number) =>
      judged(["leaf", "intermediate"], ["root"], { source, days: LIFE_DAYS * part }).findings;
    assert.deepEqual(life(0.74), []);
    const [finding, ...others] = life(0.76);
    assert.deepEqual([finding?.code, others], [code, []]);
    assert.match(finding?.remedy ?? "", remedy);
    assert.equal(needsAction(life(0.76)), source !== "files");
  });

for (const [source, remedy] of [
  ["generated", /the leading controller writes its caBundle/],
  ["certManager", /cert-manager's cainjector writes its caBundle/],
  ["files", /helm upgrade .*--set-file certificate\.caBundle=FILE/],
] as const)
  test(`${source}: who makes the certificate is to be asked for a caBundle that verifies it`, () => {
    const [finding] = judged(["leaf"], ["self-signed"], { source }).findings;
    assert.equal(finding?.code, "ca_not_of_certificate");
    assert.match(finding?.remedy ?? "", remedy);
  });
