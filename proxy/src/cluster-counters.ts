import type { Reason } from "@sallyport/core/reasons";
import type { DecisionRecord } from "@sallyport/core/record";

/** By Envoy's names, where the meaning is Envoy's (its "Cluster manager statistics"). */
export interface ClusterCounters {
  upstream_cx_total: number;
  upstream_cx_connect_fail: number;
  upstream_cx_connect_timeout: number;
  upstream_cx_rx_bytes_total: number;
  upstream_cx_tx_bytes_total: number;
  /** Where requests are judged one by one: all of these come with the first. */
  requests?: RequestCounters;
}

interface RequestCounters {
  upstream_cx_http1_total: number;
  /** Given to a connection. */
  upstream_rq_total: number;
  /** Answered, also by ourselves: with the 502 of a destination that cannot be reached, for instance. */
  upstream_rq_completed: number;
  upstream_rq_1xx: number;
  upstream_rq_2xx: number;
  upstream_rq_3xx: number;
  upstream_rq_4xx: number;
  upstream_rq_5xx: number;
  /** Never sent: no connection was to be had. */
  upstream_rq_pending_failure_eject: number;
  upstream_rq_timeout: number;
  upstream_rq_retry: number;
  /** Of these, those that were answered then. */
  upstream_rq_retry_success: number;
}

export function newCounters(): ClusterCounters {
  return {
    upstream_cx_total: 0,
    upstream_cx_connect_fail: 0,
    upstream_cx_connect_timeout: 0,
    upstream_cx_rx_bytes_total: 0,
    upstream_cx_tx_bytes_total: 0,
  };
}

function newRequestCounters(): RequestCounters {
  return {
    upstream_cx_http1_total: 0,
    upstream_rq_total: 0,
    upstream_rq_completed: 0,
    upstream_rq_1xx: 0,
    upstream_rq_2xx: 0,
    upstream_rq_3xx: 0,
    upstream_rq_4xx: 0,
    upstream_rq_5xx: 0,
    upstream_rq_pending_failure_eject: 0,
    upstream_rq_timeout: 0,
    upstream_rq_retry: 0,
    upstream_rq_retry_success: 0,
  };
}

/** What goes wrong while a connection is being opened; the other failures come after. */
const CONNECT_FAILURES: ReadonlySet<Reason> = new Set([
  ...(["failed.connect_refused", "failed.connect_timeout", "failed.unreachable"] as const),
  ...(["failed.reset", "failed.tls", "failed.tls_verify", "failed.internal"] as const),
]);

/** A request that finds a connection open is none of its own; one whose connection fails has dialled it. */
export function countRecord(counters: ClusterCounters, record: DecisionRecord): void {
  const { reason, request, connect_ms } = record;
  const isFailed = connect_ms === undefined && CONNECT_FAILURES.has(reason);
  if (request === undefined || connect_ms !== undefined || isFailed)
    counters.upstream_cx_total += 1;
  if (isFailed) counters.upstream_cx_connect_fail += 1;
  if (reason === "failed.connect_timeout") counters.upstream_cx_connect_timeout += 1;
  counters.upstream_cx_rx_bytes_total += record.bytes_received;
  counters.upstream_cx_tx_bytes_total += record.bytes_sent;
  if (request === undefined) return;
  counters.requests ??= newRequestCounters();
  countRequest(counters.requests, record, isFailed);
}

const CLASSES = [
  ...(["upstream_rq_1xx", "upstream_rq_2xx", "upstream_rq_3xx"] as const),
  ...(["upstream_rq_4xx", "upstream_rq_5xx"] as const),
];

function countRequest(
  counters: RequestCounters,
  { reason, status, connect_ms, retried }: DecisionRecord,
  isUnsent: boolean,
): void {
  if (isUnsent) counters.upstream_rq_pending_failure_eject += 1;
  else counters.upstream_rq_total += 1;
  if (connect_ms !== undefined || isUnsent) counters.upstream_cx_http1_total += 1;
  if (reason === "failed.response_timeout") counters.upstream_rq_timeout += 1;
  if (retried) counters.upstream_rq_retry += 1;
  if (retried && reason.startsWith("allowed.")) counters.upstream_rq_retry_success += 1;
  if (status === undefined) return;
  counters.upstream_rq_completed += 1;
  const statusClass = CLASSES[Math.floor(status / 100) - 1];
  if (statusClass) counters[statusClass] += 1;
}
