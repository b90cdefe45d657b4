import assert from "node:assert/strict";
import { before, test } from "node:test";
import { idle } from "./support/containers.ts";
import { callBackControllers, killControllers } from "./support/controllers.ts";
import { lacking as skip } from "./support/given.ts";
import { apply, kubectl } from "./support/kubectl.ts";
import { deployment, INJECTED } from "./support/objects.ts";
import { ENABLED, ownNamespace } from "./support/own-namespace.ts";
import { sallyport } from "./support/sallyport.ts";
import { cannotKill } from "./support/sigkill.ts";
import { until } from "./support/until.ts";
import { rolledOut } from "./support/waiting.ts";

const healthy = ownNamespace("check-healthy", ENABLED);
const troubled = ownNamespace("check-troubled");
const check = (namespace: string, ...args: readonly string[]) =>
  sallyport("check", "--namespace", namespace, ...args);

before(async () => {
  if (skip) return;
  const containers = [idle()];
  await apply(healthy, deployment("web", { containers }, INJECTED));
  const early = deployment("early", { containers });
  const spec = early.spec as { template: { metadata: object } };
  const metadata = { ...spec.template.metadata, annotations: INJECTED };
  await apply(troubled, {
    ...early,
    spec: { ...spec, template: { ...spec.template, metadata } },
  });
  await rolledOut(troubled, "deployment/early");
  await kubectl("label", "namespace", troubled, "sallyport.dev/injection=enabled");
  await rolledOut(healthy, "deployment/web");
});

test("sallyport check of a healthy cluster exits with 0, and says what it has looked at", {
  skip,
}, async (t) => {
  const { status, stdout, stderr } = await check(healthy);
  assert.deepEqual([status, stderr], [0, ""], stdout);
  assert.doesNotMatch(stdout, /✗/);
  for (const said of [
    /✓ controller +2 of 2 replicas available/,
    /✓ webhooks +7 registered, certificate good for 36\d days/,
    /✓ admission +a pod in check-healthy is given its sidecar/,
    /✓ permissions +the controller has \d+ that it uses/,
    /✓ workloads +1 workload in 1 namespace; pods: 1 injected/,
    /^all is well$/m,
  ])
    assert.match(stdout, said);
  t.diagnostic(stdout);
});

test("sallyport check names a workload whose pods are older than their namespace's label, why, and what to do; it exits with 1", {
  skip,
}, async () => {
  const text = await check(troubled);
  assert.equal(text.status, 1);
  assert.match(text.stdout, /✗ check-troubled\/deployment\/early {2}\(sidecar_missing\)/);
  assert.match(text.stdout, /kubectl rollout restart deployment\/early -n check-troubled/);

  const { status, stdout } = await check(troubled, "-o", "json");
  assert.equal(status, 1);
  const { healthy, findings, pods } = JSON.parse(stdout);
  assert.deepEqual(
    [healthy, findings.map(({ code }: { code: string }) => code), pods.missed],
    [false, ["sidecar_missing"], 1],
  );

  await kubectl("rollout", "restart", "deployment/early", "-n", troubled);
  await rolledOut(troubled, "deployment/early");
  await until("all is well", async () => (await check(troubled)).status === 0);
});

test("sallyport check says that nobody answers, and that pods cannot be created, while the controllers are away", {
  skip: skip || cannotKill,
}, async () => {
  await killControllers();
  try {
    const { status, stdout } = await check(healthy, "-o", "json");
    assert.equal(status, 1);
    const codes = JSON.parse(stdout).findings.map(({ code }: { code: string }) => code);
    for (const code of ["service_without_endpoints", "webhook_not_answering"])
      assert.ok(codes.includes(code), `${code} is not among ${codes}`);
  } finally {
    await callBackControllers();
  }
});
