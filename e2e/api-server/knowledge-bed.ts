import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  ApiextensionsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  DiscoveryV1Api,
  loadAllYaml,
  PatchStrategy,
  setHeaderOptions,
  type V1CustomResourceDefinition,
  type V1Pod,
} from "@kubernetes/client-node";
import {
  InjectionOptions,
  type InjectionOptionsInput,
} from "@sallyport/controller/admission/options";
import { connect } from "@sallyport/controller/kubernetes/client";
import type { Knowledge } from "@sallyport/controller/rules/knowledge";
import type { PodRef } from "@sallyport/controller/rules/snapshots";
import { watchKnowledge } from "@sallyport/controller/rules/watch-knowledge";
import { PolicySnapshot } from "@sallyport/core/snapshot";
import { type ApiServerOptions, startApiServer } from "../cluster/api-server.ts";
import { clientOf, createNamespace } from "../cluster/namespaces.ts";
import { Relay } from "./relay.ts";
import { until } from "./until.ts";

const CRDS = join(import.meta.dirname, "../../manifests/crds.yaml");
const KIND = { group: "sallyport.dev", version: "v1alpha1" } as const;

// biome-ignore lint/suspicious/noExplicitAny: objects as a person would write them
type Any = any;

/** An API server of its own, and what a controller comes to know of it. */
export async function startKnowledgeBed({
  injection = {},
  crds = "real",
  server: serverOptions = {},
}: {
  readonly injection?: InjectionOptionsInput;
  /** `lax`: anything passes, as with a validation that somebody has removed; `none`: not installed yet. */
  readonly crds?: "real" | "lax" | "none";
  readonly server?: ApiServerOptions;
} = {}) {
  await using starting = new AsyncDisposableStack();
  const server = starting.use(await startApiServer(serverOptions));
  const config = clientOf(server.kubeconfig);
  const [core, custom] = [config.makeApiClient(CoreV1Api), config.makeApiClient(CustomObjectsApi)];
  const discovery = config.makeApiClient(DiscoveryV1Api);
  let isAway = false;
  const port = Number(new URL(server.url).port);
  const way = starting.use(await Relay.start(() => (isAway ? undefined : port)));
  const end = new AbortController();
  starting.defer(() => end.abort());

  const install = async (which: "real" | "lax") => {
    const extensions = config.makeApiClient(ApiextensionsV1Api);
    for (const crd of loadAllYaml(readFileSync(CRDS, "utf8")) as V1CustomResourceDefinition[]) {
      const open = { type: "object", x_kubernetes_preserve_unknown_fields: true };
      if (which === "lax")
        for (const version of crd.spec.versions) version.schema = { openAPIV3Schema: open as Any };
      await extensions.createCustomResourceDefinition({ body: crd });
    }
    for (const plural of ["egressrules", "egressboundaries"])
      await until(
        `${plural} are served`,
        () => custom.listClusterCustomObject({ ...KIND, plural }).then(() => true, String),
        (found) => found === true,
      );
  };
  if (crds !== "none") await install(crds);

  const api = connect(server.kubeconfig);
  const cluster = api.kubeConfig.getCurrentCluster();
  if (cluster) Object.assign(cluster, { server: `https://127.0.0.1:${way.port}` });
  const lines: string[] = [];
  const follow = (signal = end.signal, by = api): Knowledge =>
    watchKnowledge(
      {
        api: by,
        injection: InjectionOptions.parse(injection),
        log: (level, message) => lines.push(`${level} ${message}`),
      },
      signal,
    );
  const knowledge = follow();
  const ended = starting.move();

  const writing = (kind: "EgressRule" | "EgressBoundary", namespace: string | undefined) => {
    const plural = kind === "EgressRule" ? "egressrules" : "egressboundaries";
    const at = { ...KIND, plural, ...(namespace !== undefined && { namespace }) };
    return {
      create: (body: Any) =>
        namespace === undefined
          ? custom.createClusterCustomObject({ ...at, body })
          : custom.createNamespacedCustomObject({ ...at, namespace, body }),
      merge: (name: string, body: Any) => {
        const merge = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
        return namespace === undefined
          ? custom.patchClusterCustomObject({ ...at, name, body }, merge)
          : custom.patchNamespacedCustomObject({ ...at, namespace, name, body }, merge);
      },
      remove: (name: string) =>
        namespace === undefined
          ? custom.deleteClusterCustomObject({ ...at, name })
          : custom.deleteNamespacedCustomObject({ ...at, namespace, name }),
    };
  };
  const header = (kind: string, name: string) => ({
    apiVersion: "sallyport.dev/v1alpha1",
    kind,
    metadata: { name },
  });

  return {
    ...{ server, core, discovery, knowledge, lines, way, install, follow },
    /** The API server, and the way to it that `away` closes: for others that are to have it away, too. */
    behind: { kubeconfig: server.kubeconfig, port: way.port },
    /** Another controller, whom nothing keeps from the API server. */
    followDirectly: (signal: AbortSignal) => follow(signal, connect(server.kubeconfig)),
    away: (is: boolean) => {
      isAway = is;
      if (is) way.cut();
    },
    namespace: (name: string, labels?: Readonly<Record<string, string>>) =>
      createNamespace(config, name, labels),
    rule: async (namespace: string, name: string, spec: Any) => {
      const rules = writing("EgressRule", namespace);
      await rules.create({ ...header("EgressRule", name), spec });
    },
    changeRule: (namespace: string, name: string, body: Any) =>
      writing("EgressRule", namespace).merge(name, body),
    removeRule: (namespace: string, name: string) => writing("EgressRule", namespace).remove(name),
    boundary: async (name: string, spec: Any) => {
      await writing("EgressBoundary", undefined).create({
        ...header("EgressBoundary", name),
        spec,
      });
    },
    changeBoundary: (name: string, body: Any) =>
      writing("EgressBoundary", undefined).merge(name, body),
    removeBoundary: (name: string) => writing("EgressBoundary", undefined).remove(name),
    /** One with a sidecar, as admission would have made it. */
    pod: async (
      namespace: string,
      name: string,
      labels: Readonly<Record<string, string>> = {},
    ): Promise<PodRef> => {
      const image = "example.test/image";
      const body: V1Pod = {
        metadata: { name, labels },
        spec: {
          containers: [{ name: "app", image }],
          initContainers: [{ name: "sallyport-proxy", image, restartPolicy: "Always" }],
        },
      };
      const { metadata } = await core.createNamespacedPod({ namespace, body });
      return { namespace, name, uid: metadata?.uid ?? "" };
    },
    /** As a kubelet would. */
    podStatus: (namespace: string, name: string, status: Any) =>
      core.patchNamespacedPodStatus(
        { namespace, name, body: { status } },
        setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
      ),
    /** What a pod's sidecar would be sent, once it is as it should be. */
    snapshot: async (
      pod: PodRef,
      what: string,
      isSo: (snapshot: PolicySnapshot) => boolean,
      from: Knowledge = knowledge,
    ): Promise<PolicySnapshot> => {
      const found = await until(
        what,
        async () => {
          const json = from.notReady === undefined ? from.of(pod)?.compiled?.json : undefined;
          return json === undefined ? undefined : PolicySnapshot.parse(JSON.parse(json));
        },
        (snapshot) => snapshot !== undefined && isSo(snapshot),
      );
      if (!found) throw new Error("unreachable");
      return found;
    },
    /** When a young API server has made what it makes by itself, of which every pod is told. */
    settled: async (pod: PodRef): Promise<void> => {
      const revision = () => {
        const json = knowledge.of(pod)?.compiled?.json;
        const isWhole = json && PolicySnapshot.parse(JSON.parse(json)).cluster.endpoints.length > 0;
        return isWhole ? knowledge.of(pod)?.compiled?.revision : undefined;
      };
      await until(
        "the cluster has settled",
        async () => {
          const before = revision();
          await delay(2_000);
          return before !== undefined && before === revision();
        },
        (settled) => settled,
      );
    },
    [Symbol.asyncDispose]: () => ended.disposeAsync(),
  };
}
export type KnowledgeBed = Awaited<ReturnType<typeof startKnowledgeBed>>;

export const tls = (...hosts: readonly string[]) => ({
  hosts,
  ports: [{ port: 443, protocol: "tls" }],
});

export const ruleNames = ({ rules }: PolicySnapshot): string[] => [
  ...new Set(rules.map(({ rule }) => rule)),
];
