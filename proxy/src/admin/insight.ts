import type { DecisionRecord } from "@sallyport/core/record";
import type { BoundedWriter } from "../bounded-writer.ts";
import type { Connections } from "../connections.ts";
import type { ProxyConfig } from "../contract.ts";
import type { DeliveryFigures, DeliveryState } from "../delivery/delivery.ts";
import { type DestinationSummary, isSameDestination } from "../destination-summary.ts";
import type { Destinations, Others } from "../destinations.ts";
import type { LiveConnection } from "../live-connection.ts";
import type { PolicyHolder } from "../policy-holder.ts";
import type { RecentRecords } from "../recent-records.ts";
import type { Names } from "../resolve/names.ts";
import { sidecarFigures } from "../sidecar-figures.ts";
import type { Stat, TrafficStats } from "../stats.ts";
import { type ExplainedRecord, explainRecord } from "./explanation.ts";
import type { PolicyDump } from "./policy-dump.ts";

/** The sidecar in a few words. Times are RFC 3339. */
export interface Overview {
  readonly pod: string;
  readonly namespace: string;
  readonly started: string;
  /** By the sidecar's clock, to tell ages by. */
  readonly now: string;
  readonly policy: {
    readonly mode: "enforce" | "audit";
    readonly version: number;
    readonly applied: string;
    /** Who has given it: the controllers, in a stream or before this start, or the configuration. Absent before the first. */
    readonly from?: "configuration" | "controllers" | "kept";
    readonly revision?: string;
    /** Why a newer one could not be used. */
    readonly problem?: string;
  };
  /** The stream to the controllers; absent where there is none to be. */
  readonly control?: NonNullable<PolicyDump["control"]> & { readonly host: string };
  readonly connections: { readonly open: number; readonly accepted: number };
  readonly not_ready?: string;
}

/** What the admin pages show; asked anew for each request. */
export interface Insight {
  overview(): Overview;
  destinations(): Promise<readonly DestinationSummary[]>;
  others(): Others;
  /** The newest first; with an id, those of one destination. */
  decisions(destination?: number): readonly DecisionRecord[];
  /** Why a destination is refused; undefined where it is not, or is not known. */
  explanation(destination: number): ExplainedRecord | undefined;
  stats(): Promise<readonly Stat[]>;
  /** JSON-able; holds no secret. */
  config(): unknown;
  connections(): Promise<readonly LiveConnection[]>;
  /** Undefined when the sidecar serves; otherwise why not. */
  notReady(): string | undefined;
  /** What a reader should still know: a policy that could not be used; and of a sidecar that waits for its first, why. */
  warning(): string | undefined;
}

/** Of what a sidecar consists, for those who look in. */
export interface Parts {
  readonly pod: { readonly name: string; readonly namespace: string };
  readonly config: ProxyConfig;
  readonly policy: PolicyHolder;
  readonly names: Names;
  readonly connections: Connections;
  readonly traffic: TrafficStats;
  readonly destinations: Destinations;
  readonly recent: RecentRecords;
  readonly accessLog: BoundedWriter;
  /** Where the controllers give the policy. */
  readonly delivered?:
    | { readonly state: DeliveryState; readonly figures: DeliveryFigures }
    | undefined;
  readonly startedMs: number;
  now(): number;
  notReady(): string | undefined;
}

export function insightInto(parts: Parts): Insight {
  const { pod, config, policy, connections, traffic, destinations, recent, startedMs } = parts;
  const started = new Date(startedMs).toISOString();
  const applied = () => new Date(policy.appliedMs).toISOString();
  const from = () => {
    const { from, revision } = policy.given ?? {};
    return { ...(from && { from }), ...(revision !== undefined && { revision }) };
  };
  const problem = () => policy.problem !== undefined && { problem: policy.problem };
  return {
    overview: () => {
      const notReady = parts.notReady();
      return {
        ...{ pod: pod.name, namespace: pod.namespace || policy.policy.namespace, started },
        now: new Date(parts.now()).toISOString(),
        policy: {
          ...{ mode: policy.policy.mode, version: policy.version, applied: applied() },
          ...{ ...from(), ...problem() },
        },
        ...(parts.delivered && { control: controlOf(parts.delivered.state) }),
        connections: { open: connections.active, accepted: connections.accepted },
        ...(notReady !== undefined && { not_ready: notReady }),
      };
    },
    destinations: async () => destinations.collect(await connections.live()),
    others: () => destinations.others,
    decisions: (destination) => {
      if (destination === undefined) return recent.latest();
      const last = destinations.last(destination);
      return last ? recent.latest().filter((record) => isSameDestination(record, last)) : [];
    },
    explanation: (destination) => {
      const last = destinations.last(destination);
      return last && explainRecord(policy.policy, last);
    },
    stats: async () => [
      ...traffic.collect(await connections.live()),
      ...sidecarFigures({
        ...{ connections, policy, accessLog: parts.accessLog, names: parts.names.figures },
        overflowed: traffic.count("denied.limit"),
        delivery: parts.delivered?.figures,
        ...{ startedMs, nowMs: parts.now(), ready: parts.notReady() === undefined },
      }),
    ],
    config: () => {
      const inForce: PolicyDump = {
        ...{ version: policy.version, applied: applied() },
        ...(policy.given && { snapshot: policy.snapshot }),
        ...(policy.given?.revision !== undefined && { revision: policy.given.revision }),
        ...(policy.given?.basis && { basis: policy.given.basis }),
        ...(parts.delivered && { control: controlOf(parts.delivered.state) }),
      };
      return {
        ...{ pod, started, policy: { ...policy.given?.source, ...inForce } },
        config: {
          ...config,
          policy: undefined,
          ...(config.control && { control: shown(config.control) }),
        },
        ...problem(),
      };
    },
    connections: () => connections.live(),
    notReady: () => parts.notReady(),
    warning: () => policy.problem ?? (policy.given ? undefined : parts.delivered?.state.problem),
  };
}

function controlOf({ host, connected, sinceMs, problem }: DeliveryState) {
  return {
    ...{ host, connected, since: new Date(sinceMs).toISOString() },
    ...(problem !== undefined && { problem }),
  };
}

/** Of the authority its fingerprint is enough to compare by. */
function shown({ ca, ...control }: NonNullable<ProxyConfig["control"]>) {
  const { hash } = process.getBuiltinModule("node:crypto");
  return { ...control, caSha256: hash("sha256", ca) };
}
