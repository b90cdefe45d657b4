import type { Outcome } from "@sallyport/proxy/destination-outcome";

/** What the dashboard's page is told: GET /fleet, and GET /workload?id=ID of what is looked at closely. */

export type Counts = Readonly<Record<Outcome, number>>;

export interface Fleet {
  /** Who is looked at: the context's name, and the API server. */
  readonly context: string;
  readonly server: string;
  /** RFC 3339, by this machine's clock. */
  readonly now: string;
  /** Undefined before the first reading. */
  readonly readAt?: string;
  /** What cannot be read, and what to do; the cluster itself perhaps. */
  readonly problems: readonly string[];
  /** Of the sidecars that can be asked, how many were in the present round. */
  readonly progress: { readonly asked: number; readonly of: number };
  /** Where the most was refused stands first. */
  readonly workloads: readonly Workload[];
  readonly refusals: readonly FleetRefusal[];
  /** Refused destinations beyond those. */
  readonly moreRefusals: number;
  readonly rules: readonly RuleRow[];
  readonly boundaries: readonly RuleRow[];
}

export interface Workload {
  /** `shop/deployment/web` */
  readonly id: string;
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly pods: number;
  /** Pods whose sidecar has answered. */
  readonly heard: number;
  readonly counts: Counts;
  readonly audit: boolean;
  /** What somebody should look after, each once: silent, stale and missing sidecars. */
  readonly troubles: readonly string[];
}

export interface WorkloadDetails extends Workload {
  readonly podRows: readonly PodRow[];
  readonly destinations: readonly DestinationRow[];
  readonly moreDestinations: number;
}

export interface PodRow {
  readonly name: string;
  /** Under which its own page answers here: `web-1.shop.localhost`. Absent of a pod without a sidecar that runs. */
  readonly host?: string;
  /** Why it tells nothing. */
  readonly silent?: string;
  /** In what its sidecar is not up to date. */
  readonly stale: readonly string[];
  readonly mode?: string;
  readonly policy?: string;
  readonly open?: number;
  readonly counts: Counts;
}

/** Where pods of one workload have gone, added up. */
export interface DestinationRow {
  /** A name, or an address where none was given. */
  readonly place: string;
  readonly port: number;
  readonly protocol?: string;
  readonly outcome: Outcome;
  readonly reason: string;
  /** The reason, as a sentence. */
  readonly why: string;
  readonly rule?: string;
  readonly nearest?: string;
  readonly count: number;
  readonly pods: number;
  readonly last?: string;
}

export interface FleetRefusal extends DestinationRow {
  /** Workloads, by id; the first few. */
  readonly workloads: readonly string[];
  readonly moreWorkloads: number;
}

export interface RuleRow {
  /** `shop/api`, or a boundary's name. */
  readonly name: string;
  readonly matched?: number;
  readonly applied?: number;
  readonly allowed?: number;
  readonly refused?: number;
  /** What its status complains of; and where no controller has written one, that. */
  readonly problems: readonly string[];
}
