import type { ReportRow } from "@sallyport/core/delivery";
import { EgressBoundary, EgressRule } from "@sallyport/core/rules";
import { selects } from "@sallyport/core/selector";
import type { EgressBoundaryStatus, EgressRuleStatus } from "@sallyport/core/status";
import type { ConnectedSidecar, Fleet, FleetListener } from "../../src/delivery/fleet.ts";
import type { Knowledge, KnownBoundary, KnownPod, KnownRule } from "../../src/rules/knowledge.ts";
import type { Compiled, Origin, PodRef } from "../../src/rules/snapshots.ts";

const API = { apiVersion: "sallyport.dev/v1alpha1" } as const;

export const tls443 = [{ port: 443, protocol: "tls" }] as const;

export function ruleOf(name: string, spec: object, namespace = "shop"): EgressRule {
  return EgressRule.parse({ ...API, kind: "EgressRule", metadata: { name, namespace }, spec });
}

export function boundaryOf(name: string, spec: object): EgressBoundary {
  return EgressBoundary.parse({ ...API, kind: "EgressBoundary", metadata: { name }, spec });
}

export function knownRule(
  object: EgressRule,
  more: Partial<KnownRule> & { status?: EgressRuleStatus } = {},
): KnownRule {
  const { name, namespace = "shop" } = object.metadata;
  return {
    ...{ kind: "EgressRule", namespace, name, uid: `uid-${namespace}-${name}`, generation: 1 },
    ...{ object, status: undefined },
    ...more,
  };
}

export function knownBoundary(
  object: EgressBoundary,
  more: Partial<KnownBoundary> & { status?: EgressBoundaryStatus } = {},
): KnownBoundary {
  const { name } = object.metadata;
  return {
    ...{ kind: "EgressBoundary", name, uid: `uid-${name}`, generation: 1 },
    ...{ object, status: undefined },
    ...more,
  };
}

export function podOf(
  name: string,
  labels: Record<string, string> = {},
  namespace = "shop",
): KnownPod {
  return { namespace, name, uid: `uid-${namespace}-${name}`, labels, node: "node-1" };
}

/** Knowledge that a test changes as it likes. */
export class TestKnowledge implements Knowledge {
  notReady: string | undefined;
  readonly ruleList: KnownRule[] = [];
  readonly boundaryList: KnownBoundary[] = [];
  readonly podList: KnownPod[] = [];
  readonly namespaceMap = new Map<string, Record<string, string>>([["shop", {}]]);
  readonly missList: string[] = [];
  readonly #watchers = new Set<() => void>();

  network = () => ({ resolvers: [], ranges: [] });
  rules = () => this.ruleList;
  boundaries = () => this.boundaryList;
  pods = () => this.podList;
  namespaces = () => this.namespaceMap.keys();
  namespaceLabels = (namespace: string) => this.namespaceMap.get(namespace);
  boundariesNotReady: string | undefined;
  boundariesOver = (namespace: string) =>
    this.boundaryList.filter(({ object }) =>
      selects(object?.spec.namespaceSelector, this.namespaceMap.get(namespace) ?? {}),
    );
  misses = () => this.missList;
  watch = (onChange: () => void) => {
    this.#watchers.add(onChange);
    return () => this.#watchers.delete(onChange);
  };
  changed(): void {
    for (const tell of this.#watchers) tell();
  }

  /** One for each pod. */
  of = (ref: PodRef) => {
    const pod = this.podList.find(({ uid }) => uid === ref.uid);
    if (!pod) return undefined;
    const origins: Origin[] = [
      ...this.ruleList.filter(
        ({ namespace, object }) =>
          namespace === pod.namespace && object && selects(object.spec.selector, pod.labels),
      ),
      ...this.boundariesOver(pod.namespace),
    ];
    return { compiled: compiledOf(origins) };
  };
  subscribe = () => () => {};
  catchUp = async () => ({ rewound: false });
}

export function compiledOf(from: readonly Origin[]): Compiled {
  const origins = from.map(({ kind, namespace, name, uid, generation }) => ({
    ...{ kind, name, uid, generation },
    ...(namespace !== undefined && { namespace }),
  }));
  return { revision: JSON.stringify(origins), basis: {}, json: "{}", origins };
}

/** Sidecars that a test connects. */
export class TestFleet implements Fleet {
  readonly #sidecars = new Map<string, ConnectedSidecar>();
  readonly #listeners = new Set<FleetListener>();

  connected = () => this.#sidecars.values();
  listen = (listener: FleetListener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  connect(pod: PodRef, applied: Compiled | undefined, more: Partial<ConnectedSidecar> = {}): void {
    this.#sidecars.set(pod.uid, {
      ...{ pod, version: "0.1.0", connectedMs: 0, sent: applied, applied, problem: undefined },
      ...more,
    });
    for (const { changed } of this.#listeners) changed?.(pod);
  }
  disconnect(pod: PodRef): void {
    this.#sidecars.delete(pod.uid);
    for (const { changed } of this.#listeners) changed?.(pod);
  }
  report(pod: PodRef, rows: readonly ReportRow[]): void {
    for (const { reported } of this.#listeners) reported?.(pod, rows, { allowed: 0, refused: 0 });
  }
}
