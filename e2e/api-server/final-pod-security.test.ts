import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { V1Pod, V1PodSpec } from "@kubernetes/client-node";
import { lackingBed, startWebhookBed, type WebhookBed } from "./webhook-bed.ts";

const skip = lackingBed;

let bed: WebhookBed;
before(async () => {
  if (!skip) bed = await startWebhookBed();
});
after(() => bed?.[Symbol.asyncDispose]());

/** Satisfies every level by itself. */
const SPEC: V1PodSpec = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
  containers: [
    {
      ...{ name: "app", image: "registry.example/web:1" },
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
    },
  ],
};
const pod = (name: string, annotations = {}): V1Pod => ({
  ...{ apiVersion: "v1", kind: "Pod" },
  metadata: { name, annotations },
  spec: SPEC,
});
const deployment = {
  ...{ apiVersion: "apps/v1", kind: "Deployment" },
  metadata: { name: "web" },
  spec: {
    selector: { matchLabels: { app: "web" } },
    template: { metadata: { labels: { app: "web" } }, spec: SPEC },
  },
};

const enforcing = (level: string) => ({ "pod-security.kubernetes.io/enforce": level });

/** The controller hears of a namespace's level a moment after its creation. */
async function createUntilWarned(namespace: string, object: object, warning: RegExp) {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const ran = await bed.kubectl(
      ["create", "-n", namespace, "--dry-run=server", "-f", "-"],
      object,
    );
    if (warning.test(ran.stderr)) return ran;
    assert.ok(performance.now() < deadline, ran.stderr);
  }
}

for (const [level, found] of [
  [
    "baseline",
    /violates PodSecurity "baseline:latest": non-default capabilities \(container "sallyport-init"/,
  ],
  [
    "restricted",
    /violates PodSecurity "restricted:latest": unrestricted capabilities \(container "sallyport-init"/,
  ],
] as const)
  test(`Pod Security ${level} refuses an injected pod for sallyport-init alone, and the webhook has said so at the Deployment`, {
    skip,
  }, async () => {
    const namespace = await bed.namespace("all", enforcing(level));
    const warning = new RegExp(
      `Warning: Pod Security "${level}", which the namespace enforces, refuses sallyport-init, .*pod-security\\.kubernetes\\.io/enforce=privileged`,
    );
    const applied = await createUntilWarned(namespace, deployment, warning);
    assert.equal(applied.status, 0, applied.stderr);

    const refused = await bed.kubectl(["create", "-n", namespace, "-f", "-"], pod("injected"));
    assert.notEqual(refused.status, 0);
    assert.match(refused.stderr, found);
    assert.match(refused.stderr, warning);
    assert.doesNotMatch(refused.stderr, /sallyport-proxy/);

    const out = pod("left-alone", { "sallyport.dev/inject": "false" });
    const left = await bed.kubectl(["create", "-n", namespace, "-f", "-"], out);
    assert.equal(left.status, 0, left.stderr);
    assert.equal(left.stderr, "");
  });

test("a namespace that enforces privileged and only warns of restricted is injected", {
  skip,
}, async () => {
  const namespace = await bed.namespace("all", {
    ...enforcing("privileged"),
    "pod-security.kubernetes.io/warn": "restricted",
  });
  const ran = await bed.kubectl(["create", "-n", namespace, "-f", "-"], pod("injected"));
  assert.equal(ran.status, 0, ran.stderr);
  assert.match(
    ran.stderr,
    /Warning: would violate PodSecurity "restricted:latest".*"sallyport-init"/,
  );
  assert.doesNotMatch(ran.stderr, /which the namespace enforces|sallyport-proxy/);
});
