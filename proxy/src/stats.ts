import { REASONS, type Reason } from "@sallyport/core/reasons";
import type { DecisionRecord } from "@sallyport/core/record";
import { type ClusterCounters, countRecord, newCounters } from "./cluster-counters.ts";
import type { LiveConnection } from "./live-connection.ts";

/** One figure. `labels` name what a plain-text name carries inside itself: a cluster, a reason. */
export interface Stat {
  /** As in Envoy's text form: `cluster.203.0.113.0/24_443.upstream_cx_total`. */
  readonly name: string;
  readonly value: number;
  readonly kind: "counter" | "gauge";
  /** The family and labels of the Prometheus form. */
  readonly family: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Clusters are counted one by one up to this many; the rest share `_other`, so that memory stays bounded. */
export const MAX_CLUSTERS = 1_000;

/** The cluster of a connection: the host or CIDR that allowed it, with its port; `in_cluster` or `audit` where none did. */
function clusterOf({
  matched,
  reason,
}: {
  readonly matched?: string;
  readonly reason: string;
}): string {
  return matched ?? (reason === "allowed.cluster" ? "in_cluster" : "audit");
}

/** Counts what the records say. No counter ever goes down, nor appears with its first event: `rate()` would misread both. */
export class TrafficStats {
  readonly #reasons = new Map<string, number>(Object.keys(REASONS).map((reason) => [reason, 0]));
  readonly #wouldBe = new Map<string, number>();
  readonly #clusters = new Map<string, ClusterCounters>();

  add(record: DecisionRecord): void {
    increment(this.#reasons, record.reason);
    if (record.would_be) increment(this.#wouldBe, record.would_be);
    if (record.verdict === "deny") return;
    countRecord(this.#cluster(clusterOf(record)), record);
  }

  count(reason: Reason): number {
    return this.#reasons.get(reason) ?? 0;
  }

  /** With what open connections have moved so far, so that a long one shows while it lasts. */
  collect(live: readonly LiveConnection[]): Stat[] {
    const clusters = new Map(
      [...this.#clusters].map(([name, counters]) => [name, { ...counters, upstream_cx_active: 0 }]),
    );
    for (const connection of live) {
      if (!connection.reason.startsWith("allowed.")) continue;
      const name = this.#bounded(clusterOf(connection));
      const cluster = clusters.get(name) ?? { ...newCounters(), upstream_cx_active: 0 };
      clusters.set(name, cluster);
      cluster.upstream_cx_active += 1;
      // Where requests are judged one by one, their records have counted the rest.
      if (connection.requests !== undefined) continue;
      cluster.upstream_cx_total += 1;
      cluster.upstream_cx_rx_bytes_total += connection.bytesReceived;
      cluster.upstream_cx_tx_bytes_total += connection.bytesSent;
    }
    return [
      ...[...this.#reasons].map(([reason, value]) =>
        labelled("egress", "reason", reason, value, `egress.${reason}`),
      ),
      ...[...this.#wouldBe].map(([reason, value]) =>
        labelled("egress_would_be", "reason", reason, value, `egress.would_be.${reason}`),
      ),
      ...[...clusters].flatMap(([matched, counters]) => clusterStats(matched, counters)),
    ];
  }

  #bounded(name: string): string {
    return this.#clusters.has(name) || this.#clusters.size < MAX_CLUSTERS ? name : "_other";
  }

  #cluster(wanted: string): ClusterCounters {
    const name = this.#bounded(wanted);
    const counters = this.#clusters.get(name) ?? newCounters();
    this.#clusters.set(name, counters);
    return counters;
  }
}

function clusterStats(
  matched: string,
  { requests, ...connections }: ClusterCounters & { readonly upstream_cx_active: number },
): Stat[] {
  // A colon would end the name for Envoy's readers.
  const cluster = matched.replaceAll(":", "_");
  return Object.entries({ ...connections, ...requests }).map(([counter, value]) => ({
    name: `cluster.${cluster}.${counter}`,
    value,
    kind: counter === "upstream_cx_active" ? "gauge" : "counter",
    family: `cluster_${counter}`,
    labels: { cluster },
  }));
}

/** A figure without labels. `name` is dotted; its Prometheus family is the same with underscores. */
export function figure(name: string, kind: Stat["kind"], value: number, family = name): Stat {
  return { name, value, kind, family: family.replaceAll(".", "_"), labels: {} };
}

function labelled(family: string, label: string, text: string, value: number, name: string): Stat {
  return { name, value, kind: "counter", family, labels: { [label]: text } };
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
