import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { after, before, test } from "node:test";
import type {
  V1Deployment,
  V1MutatingWebhookConfiguration,
  V1Secret,
} from "@kubernetes/client-node";
import { CONTROLLER, controllersReplaced, SYSTEM } from "./support/controllers.ts";
import { Creations, failedOf, summaryOf } from "./support/creations.ts";
import { lacking } from "./support/given.ts";
import { kubectl, read } from "./support/kubectl.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { until } from "./support/until.ts";

const skip = lacking;
const guarded = ownNamespace("rotation", ENABLED);

/** A year in a minute: the next certificate is made after 40 s, served 5 s later, and the old CA is let go 10 s after that. */
const ROTATIONS = 2;
const hurried = (life: string) => [
  ...original.filter((arg) => !arg.startsWith("--certificate-life")),
  ...[`--certificate-life=${life}`, "--certificate-settling=5s", "--certificate-overlap=10s"],
];

let original: string[] = [];
before(async () => {
  if (skip) return;
  const [kind = "", name = ""] = CONTROLLER.split("/");
  const { spec } = await read<V1Deployment>(SYSTEM, kind, name);
  original = spec?.template.spec?.containers[0]?.args ?? [];
  await setArguments(hurried("60s"));
});
after(async () => {
  if (skip) return;
  // At its own pace the installation would not replace a certificate of a minute in time.
  await setArguments(hurried("365d"));
  await until("what is served is good for long", async () => daysLeft(await served()) > 300, 120);
  await setArguments(original);
});

async function setArguments(args: readonly string[]): Promise<void> {
  const path = "/spec/template/spec/containers/0/args";
  const patch = JSON.stringify([{ op: "replace", path, value: args }]);
  await kubectl("patch", CONTROLLER, "-n", SYSTEM, "--type=json", "--patch", patch);
  await controllersReplaced();
}

const daysLeft = (certificate: X509Certificate | undefined) =>
  ((certificate?.validToDate.getTime() ?? 0) - Date.now()) / 86_400_000;

/** What the replicas share; nothing while the Secret is empty. */
async function served(): Promise<X509Certificate | undefined> {
  const { data } = await read<V1Secret>(SYSTEM, "secret", "sallyport-certificate");
  const certificate = data?.["tls.crt"];
  return certificate ? new X509Certificate(Buffer.from(certificate, "base64")) : undefined;
}

/** How many authorities each webhook's entry trusts. */
async function trusted(): Promise<number[]> {
  const { webhooks } = await read<V1MutatingWebhookConfiguration>(
    SYSTEM,
    "mutatingwebhookconfiguration",
    "sallyport",
  );
  return (webhooks ?? []).map(({ clientConfig }) => {
    const pem = Buffer.from(clientConfig.caBundle ?? "", "base64").toString();
    return pem.split("-----BEGIN CERTIFICATE-----").length - 1;
  });
}

test("certificates are rotated under load, without a failed admission", {
  skip,
  timeout: 280_000,
}, async (t) => {
  const load = new Creations({ namespaces: [guarded], atOnce: 4, pauseMs: 5 });
  try {
    await load.more(50);
    // The one that is good for a year: somebody empties the Secret, which is not to be noticed either.
    await kubectl(
      ...["patch", "secret", "sallyport-certificate", "-n", SYSTEM, "--type=json"],
      ...["--patch", '[{"op":"remove","path":"/data"}]'],
    );
    const seen = new Set<string>();
    const numbers = new Set<number>();
    await until(
      `${ROTATIONS} rotations`,
      async () => {
        const certificate = await served();
        if (certificate) seen.add(certificate.fingerprint256);
        for (const count of await trusted()) numbers.add(count);
        return seen.size > ROTATIONS;
      },
      220,
    );
    await load.more(500);
    assert.ok(numbers.has(2), "two authorities were trusted while one took the other's place");
    t.diagnostic(`${seen.size} certificates were served`);
  } finally {
    await load.end();
  }
  t.diagnostic(summaryOf(load.all));
  assert.equal(failedOf(load.all).length, 0, summaryOf(load.all));
  assert.ok(load.all.every(({ injected }) => injected));
});
