import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../src/admission/admission.ts";
import type { ControllerOptions } from "../src/server.ts";
import { boundary } from "./boundaries.ts";
import { POD, responseOf, reviewOf, startBed } from "./server-bed.ts";

const OPTED_OUT: JsonObject = {
  ...POD,
  metadata: { name: "web", annotations: { "sallyport.dev/inject": "false" } },
  spec: {
    containers: [{ name: "web", image: "web:1", securityContext: { runAsNonRoot: true } }],
  },
};
const WEB: JsonObject = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  spec: { template: { spec: { ...(POD.spec as JsonObject), hostNetwork: true } } },
};
const DEPLOYMENT = {
  kind: { group: "apps", version: "v1", kind: "Deployment" },
  resource: { group: "apps", version: "v1", resource: "deployments" },
};
const BY_PAYMENTS = "(the sidecar is required by EgressBoundary payments)";

const overShop: ControllerOptions["boundariesOver"] = (namespace) =>
  namespace === "shop" ? [boundary("payments", { injection: "required" })] : [];

test("a boundary counts in the namespaces that it is over, and in no other", async () => {
  await using bed = await startBed({ boundariesOver: overShop });
  const ask = async (namespace: string) =>
    responseOf(
      await bed.send("/mutate/pods/all", JSON.stringify(reviewOf(OPTED_OUT, { namespace }))),
    );
  const there = await ask("shop");
  assert.ok(there.allowed && there.patch !== undefined);
  assert.deepEqual(there.warnings, [
    `annotation sallyport.dev/inject: "false" is ignored ${BY_PAYMENTS}`,
  ]);
  const elsewhere = await ask("bank");
  assert.ok(elsewhere.allowed);
  assert.equal(elsewhere.patch, undefined);
  const verdicts = bed.lines
    .filter(({ message }) => message === "admission")
    .map(({ namespace, verdict, reason }) => [namespace, verdict, reason]);
  assert.deepEqual(verdicts, [
    ["shop", "changed", undefined],
    ["bank", "unchanged", "opted_out"],
  ]);
});

test("a Deployment is let through, with a warning that its pods will be refused, and by whom", async () => {
  await using bed = await startBed({ boundariesOver: overShop });
  const answer = responseOf(
    await bed.send("/mutate/workloads/enabled", JSON.stringify(reviewOf(WEB, DEPLOYMENT))),
  );
  assert.ok(answer.allowed);
  const [warning = ""] = answer.warnings ?? [];
  assert.match(warning, /^its pods will be refused: .*hostNetwork/);
  assert.ok(warning.endsWith(BY_PAYMENTS), warning);
});

test("the webhook that comes last asks the boundaries, too, and for a debugger", async () => {
  await using bed = await startBed({ boundariesOver: overShop });
  const ask = async (object: JsonObject, request: JsonObject = {}) =>
    responseOf(await bed.send("/validate/pods/enabled", JSON.stringify(reviewOf(object, request))));
  const without = await ask(OPTED_OUT);
  assert.ok(!without.allowed);
  assert.match(without.status?.message ?? "", /has neither sallyport-init nor sallyport-proxy/);
  assert.ok((await ask(OPTED_OUT, { namespace: "bank" })).allowed);

  const proxy = { name: "sallyport-proxy", image: "proxy", securityContext: { runAsUser: 20_000 } };
  const running = {
    ...OPTED_OUT,
    spec: { ...(OPTED_OUT.spec as JsonObject), initContainers: [proxy] },
  };
  const ephemeralContainers = [{ name: "debug", image: "debug" }];
  const debugged = { ...running, spec: { ...running.spec, ephemeralContainers } };
  const request = { operation: "UPDATE", subResource: "ephemeralcontainers", oldObject: running };
  const debug = await ask(debugged, request);
  assert.ok(!debug.allowed);
  assert.ok(debug.status?.message.endsWith(BY_PAYMENTS), debug.status?.message);
  assert.ok((await ask(debugged, { ...request, namespace: "bank" })).allowed);
});

test("without knowledge of boundaries an installation admits as if there were none; as long as they are unread it does not", async () => {
  for (const [options, allowed] of [
    [{}, true],
    [{ boundariesOver: () => undefined }, false],
  ] as const) {
    await using bed = await startBed(options);
    const body = JSON.stringify(reviewOf(OPTED_OUT));
    for (const path of ["/mutate/pods/all", "/validate/pods/all"]) {
      const answer = responseOf(await bed.send(path, body));
      assert.equal(answer.allowed, allowed);
      if (!allowed) assert.match(answer.status?.message ?? "", /are not known yet; try again/);
    }
  }
});

test("as long as it is not known whom sidecars are to trust, no pod is given one that would go by nothing of the cluster's", async () => {
  await using bed = await startBed({ control: () => undefined });
  const pod = JSON.stringify(reviewOf(POD));
  for (const path of ["/mutate/pods/all", "/validate/pods/all"]) {
    const answer = responseOf(await bed.send(path, pod));
    assert.equal(answer.allowed, false);
    assert.match(answer.status?.message ?? "", /whom sidecars are to trust.*try again/);
  }
  const workload = JSON.stringify(reviewOf(WEB, DEPLOYMENT));
  assert.ok(responseOf(await bed.send("/mutate/workloads/all", workload)).allowed);
});
