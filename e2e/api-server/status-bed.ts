import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CustomObjectsApi, KubernetesObjectApi, loadAllYaml } from "@kubernetes/client-node";
import type { ConnectedSidecar, Fleet, FleetListener } from "@sallyport/controller/delivery/fleet";
import { connect } from "@sallyport/controller/kubernetes/client";
import type { Knowledge } from "@sallyport/controller/rules/knowledge";
import type { PodRef } from "@sallyport/controller/rules/snapshots";
import { keepStatus, type StatusKeeping } from "@sallyport/controller/status/keep-status";
import type { ReportRow } from "@sallyport/core/delivery";
import type { EgressBoundaryStatus } from "@sallyport/core/status";
import { clientOf } from "../cluster/namespaces.ts";
import { type KnowledgeBed, startKnowledgeBed } from "./knowledge-bed.ts";
import { Relay } from "./relay.ts";
import { until } from "./until.ts";

const MANIFESTS = join(import.meta.dirname, "../../manifests/install.yaml");
export const INSTALL = "sallyport-system";

/** Quick enough for a test. */
export const QUICK = {
  pace: { countsMs: 500, soonMs: 100, burst: 50, perSecond: 50 },
  attendance: { everyMs: 1_000, lapsedMs: 6_000, goneMs: 12_000 },
};

/** Sidecars as a stream server would know them; what they say is the test's to say. */
export class SaidFleet implements Fleet {
  readonly #sidecars = new Map<string, ConnectedSidecar>();
  readonly #listeners = new Set<FleetListener>();

  connected = () => this.#sidecars.values();
  listen = (listener: FleetListener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  /** It has applied what it would be sent now; `without`: nothing yet. */
  connect(pod: PodRef, knowledge: Knowledge, without?: { readonly problem: string }): void {
    const compiled = knowledge.of(pod)?.compiled;
    this.#sidecars.set(pod.uid, {
      ...{ pod, version: "0.1.0", connectedMs: 0, sent: compiled },
      applied: without ? undefined : compiled,
      problem: without?.problem,
    });
    for (const listener of this.#listeners) listener.changed?.(pod);
  }
  report(pod: PodRef, ...rows: readonly ReportRow[]): void {
    for (const { reported } of this.#listeners) reported?.(pod, rows, { allowed: 0, refused: 0 });
  }
}

export interface StatusReplica {
  readonly identity: string;
  readonly knowledge: Knowledge;
  readonly fleet: SaidFleet;
  readonly lines: string[];
  leading: boolean;
  /** Whether it reaches the API server. */
  away(is: boolean): void;
  stop(): Promise<void>;
}

/** Controllers as far as they write status, with the rights that the chart gives them. */
export interface StatusBed extends AsyncDisposable {
  readonly bed: KnowledgeBed;
  replica(identity: string, more?: Partial<StatusKeeping>): Promise<StatusReplica>;
  status(kind: "egressrules" | "egressboundaries", name: string, namespace?: string): Promise<Seen>;
}

export interface Seen {
  readonly status: EgressBoundaryStatus;
  readonly managers: readonly string[];
  readonly resourceVersion: string;
}

export async function startStatusBed(): Promise<StatusBed> {
  await using starting = new AsyncDisposableStack();
  const bed = starting.use(await startKnowledgeBed());
  const { kubeconfig, url, ca } = bed.server;
  const folder = mkdtempSync(join(tmpdir(), "sallyport-status-"));
  starting.defer(() => rmSync(folder, { recursive: true }));
  await bed.namespace(INSTALL);
  const objects = KubernetesObjectApi.makeApiClient(clientOf(kubeconfig));
  const custom = clientOf(kubeconfig).makeApiClient(CustomObjectsApi);
  for (const object of loadAllYaml(readFileSync(MANIFESTS, "utf8")))
    if (/Role|ServiceAccount|ConfigMap/.test(object.kind)) await objects.create(object);
  const { status } = await bed.core.createNamespacedServiceAccountToken({
    ...{ namespace: INSTALL, name: "sallyport-controller" },
    body: { spec: { audiences: [], expirationSeconds: 3_600 } },
  });
  const replicas: StatusReplica[] = [];
  starting.defer(async () => {
    await Promise.all(replicas.map((each) => each.stop()));
  });
  const rest = starting.move();

  return {
    bed,
    replica: async (identity, more = {}) => {
      let isAway = false;
      const port = Number(new URL(url).port);
      const way = rest.use(await Relay.start(() => (isAway ? undefined : port)));
      const path = join(folder, `${identity}.kubeconfig`);
      const cluster = {
        server: `https://127.0.0.1:${way.port}`,
        "certificate-authority-data": Buffer.from(ca).toString("base64"),
      };
      writeFileSync(
        path,
        JSON.stringify({
          ...{ apiVersion: "v1", kind: "Config", "current-context": "it" },
          clusters: [{ name: "it", cluster }],
          users: [{ name: "it", user: { token: status?.token } }],
          contexts: [{ name: "it", context: { cluster: "it", user: "it" } }],
        }),
      );
      const end = new AbortController();
      const knowledge = bed.follow(end.signal);
      const fleet = new SaidFleet();
      const lines: string[] = [];
      await until(
        `what ${identity} knows`,
        async () => knowledge.notReady,
        (lacking) => lacking === undefined,
      );
      const replica: StatusReplica = {
        ...{ identity, knowledge, fleet, lines, leading: false },
        away: (is) => {
          isAway = is;
          if (is) way.cut();
        },
        stop: async () => {
          end.abort();
          await kept;
        },
      };
      const kept = keepStatus(
        {
          ...{ api: connect(path), knowledge, fleet, identity, namespace: INSTALL },
          leading: () => replica.leading,
          log: (level, message) => lines.push(`${level} ${message}`),
          times: QUICK,
          ...more,
        },
        end.signal,
      );
      replicas.push(replica);
      return replica;
    },
    status: async (plural, name, namespace) => {
      const at = { group: "sallyport.dev", version: "v1alpha1", plural, name };
      const found = await (namespace === undefined
        ? custom.getClusterCustomObject(at)
        : custom.getNamespacedCustomObject({ ...at, namespace }));
      return {
        status: found.status ?? {},
        managers: found.metadata.managedFields
          .filter((entry: { subresource?: string }) => entry.subresource === "status")
          .map(({ manager }: { manager: string }) => manager)
          .sort(),
        resourceVersion: found.metadata.resourceVersion,
      };
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

export const row = (more: Partial<ReportRow>): ReportRow => ({
  ...{ verdict: "allow", reason: "allowed.rule", port: 443, count: 1 },
  last: "2026-01-01T00:00:00Z",
  ...more,
});
