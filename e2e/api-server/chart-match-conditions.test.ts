import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  AdmissionregistrationV1Api,
  CoreV1Api,
  type KubernetesObject,
  KubernetesObjectApi,
  PatchStrategy,
  setHeaderOptions,
  type V1MutatingWebhook,
  type V1Pod,
} from "@kubernetes/client-node";
import { lackingHelm, NAMESPACE } from "../../scripts/chart/helm.ts";
import { the } from "../../scripts/chart/objects.ts";
import { rendered } from "../../scripts/chart/rendered.ts";
import { lackingApiServer, type OwnApiServer, startApiServer } from "../cluster/api-server.ts";
import { clientOf, createNamespace } from "../cluster/namespaces.ts";
import { CASES, INJECT, ours, podWith } from "./chart-match-cases.ts";
import { type OtherWebhook, startOtherWebhook } from "./other-webhook.ts";
import { until } from "./until.ts";

describe("matchConditions spare the calls that would change nothing, and no other", {
  skip: lackingHelm || lackingApiServer(),
}, () => {
  let server: OwnApiServer;
  const webhooks = new Map<string, OtherWebhook>();
  const clients = () => {
    const config = clientOf(server.kubeconfig);
    return {
      config,
      core: config.makeApiClient(CoreV1Api),
      any: KubernetesObjectApi.makeApiClient(config),
      registration: config.makeApiClient(AdmissionregistrationV1Api),
    };
  };

  before(async () => {
    server = await startApiServer();
    const { config, core, registration } = clients();
    const objects = rendered({}, "--is-upgrade");
    /** The entries as they are, but for whom they call: one server each. */
    const elsewhere = (kind: string) =>
      Promise.all(
        (the(kind, objects).webhooks as V1MutatingWebhook[]).map(async (entry) => {
          const webhook = await startOtherWebhook(() => []);
          webhooks.set(entry.name, webhook);
          return { ...entry, clientConfig: webhook.clientConfig };
        }),
      );
    const metadata = { name: "sallyport" };
    await registration.createMutatingWebhookConfiguration({
      body: { metadata, webhooks: await elsewhere("MutatingWebhookConfiguration") },
    });
    await registration.createValidatingWebhookConfiguration({
      body: { metadata, webhooks: await elsewhere("ValidatingWebhookConfiguration") },
    });
    for (const injection of ["enabled", "all"])
      await createNamespace(config, injection, { "sallyport.dev/injection": injection });
    // The API server hears of the two configurations and of the namespaces' labels a moment later.
    for (const namespace of ["enabled", "all"])
      await until(
        "both are called",
        async () => {
          const body = podWith({ annotations: INJECT });
          await core.createNamespacedPod({ namespace, body, dryRun: "All" });
          return ["pods", "final-pods"].map((name) => calls(namespace, name));
        },
        (counts) => counts.every((count) => count > 0),
      );
  });
  after(async () => {
    for (const webhook of webhooks.values()) await webhook[Symbol.asyncDispose]();
    await server.stop();
  });

  const calls = (namespace: string, name: string) =>
    webhooks.get(`${namespace}.${name}.sallyport.dev`)?.calls() ?? 0;
  /** Which are called while that is done. */
  const calledBy = async (work: () => Promise<unknown>) => {
    const before = new Map([...webhooks].map(([name, webhook]) => [name, webhook.calls()]));
    await work();
    return [...webhooks]
      .filter(([name, webhook]) => webhook.calls() > (before.get(name) ?? 0))
      .map(([name]) => name)
      .sort();
  };

  for (const [what, object, expected] of CASES)
    for (const namespace of ["enabled", "all"] as const)
      test(`${what}, where the namespace says ${namespace}: ${expected.join(", ")} asked`, async () => {
        const { any } = clients();
        const described = object as KubernetesObject;
        const body = { ...described, metadata: { ...described.metadata, namespace } };
        assert.deepEqual(
          await calledBy(() => any.create(body, undefined, "All")),
          expected.map((name) => `${namespace}.${name}.sallyport.dev`).sort(),
        );
      });

  for (const namespace of ["enabled", "all"])
    for (const [what, spec, asked] of [
      ["without a sidecar", {}, false],
      ["with a sidecar", { initContainers: [ours("sallyport-proxy")] }, true],
    ] as const)
      test(`kubectl debug of a pod ${what}, where the namespace says ${namespace}: ${asked ? "the guard" : "nobody"} is asked`, async () => {
        const { core } = clients();
        const name = `web-${what.replaceAll(" ", "-")}`;
        const created = await core.createNamespacedPod({
          namespace,
          body: { ...podWith({}, spec), metadata: { name } } as V1Pod,
        });
        const debug = [{ name: "debugger", image: "debugger" }];
        const body = { ...created, spec: { ...created.spec, ephemeralContainers: debug } } as V1Pod;
        assert.deepEqual(
          await calledBy(() =>
            core.replaceNamespacedPodEphemeralcontainers({ namespace, name, body, dryRun: "All" }),
          ),
          asked ? [`${namespace}.final-pods.sallyport.dev`] : [],
        );
      });

  for (const namespace of ["enabled", "all"])
    for (const [what, change, asked] of [
      ["the image of its sidecar", [0, "other"], true],
      ["the image of its app", [1, "other"], false],
      ["an annotation", undefined, false],
    ] as const)
      test(`a pod that is there and of which ${what} changes, where the namespace says ${namespace}: ${asked ? "the guard" : "nobody"} is asked`, async () => {
        const { core } = clients();
        const name = `there-${namespace}-${what.replaceAll(" ", "-")}`;
        const spec = { containers: [ours("sallyport-proxy"), { name: "app", image: "app" }] };
        const created = await core.createNamespacedPod({
          namespace,
          body: { ...podWith({}, spec), metadata: { name } } as V1Pod,
        });
        const containers = created.spec?.containers.map((container, i) =>
          change?.[0] === i ? { ...container, image: change[1] } : container,
        );
        const body = {
          ...created,
          metadata: { ...created.metadata, annotations: change ? {} : { a: "b" } },
          spec: { ...created.spec, containers },
        } as V1Pod;
        assert.deepEqual(
          await calledBy(() => core.replaceNamespacedPod({ namespace, name, body, dryRun: "All" })),
          asked ? [`${namespace}.final-pods.sallyport.dev`] : [],
        );
      });

  test("nobody is asked about pods of the cluster's own namespace or the installation's, whatever their label", async () => {
    const { config, core } = clients();
    const body = podWith({ annotations: INJECT }) as V1Pod;
    const labels = { "sallyport.dev/injection": "all" };
    await createNamespace(config, NAMESPACE, labels);
    await core.patchNamespace(
      { name: "kube-system", body: { metadata: { labels } } },
      setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
    );
    const metadata = { name: "default" };
    await core.createNamespacedServiceAccount({ namespace: "kube-system", body: { metadata } });
    // Once the API server has heard of this label, it has heard of the others before.
    await createNamespace(config, "last", labels);
    const ask = (namespace: string) =>
      calledBy(() => core.createNamespacedPod({ namespace, body, dryRun: "All" }));
    await until(
      "the last namespace's pods",
      () => ask("last"),
      ({ length }) => length > 0,
    );
    for (const namespace of ["kube-system", NAMESPACE])
      assert.deepEqual(await ask(namespace), [], namespace);
  });
});
