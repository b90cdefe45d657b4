import type { Protocol } from "./decision.ts";
import type { Reason } from "./reasons.ts";

/** Who ended a connection: the app, the destination it dialled, or the sidecar between them. */
export type Side = "app" | "upstream" | "sidecar";

/** How it ended: both directions closed in order, reset, refused by policy, never connected, idle too long, cut by a drain or by a newer policy. */
export type Ending = "end" | "reset" | "refused" | "failed" | "timeout" | "drain" | "revoked";

/**
 * One per connection, complete when it ends; where HTTP is judged request by request, one per request instead. A line of
 * the access log, and what the counters are made from.
 */
export interface DecisionRecord {
  /** When the connection was accepted: RFC 3339, UTC, milliseconds. */
  readonly time: string;
  readonly pod: string;
  readonly namespace: string;
  /** Counts up from 1 in one sidecar. */
  readonly connection: number;
  /** Counts up from 1 on one connection; absent where the record is of a connection. */
  readonly request?: number;
  readonly verdict: "allow" | "deny";
  readonly reason: Reason;
  /** In audit mode: what enforce mode would have said. */
  readonly would_be?: Reason;
  /** What decided: `namespace/name` of a rule, the name of a boundary; and the entry's place in its list, from 0. */
  readonly rule?: string;
  readonly entry?: number;
  /** The host or CIDR of that entry, and its ports: `*.example.com:443`. */
  readonly matched?: string;
  /** Where it was refused: the namespace's rule that comes closest. */
  readonly nearest?: string;
  readonly protocol?: Protocol;
  /** As the app gave it, or, of source `dns`, the rule's name that the address was found to be one of. */
  readonly name?: string;
  readonly name_source?: "sni" | "host" | "dns";
  /** A name that can match no host, printable. */
  readonly invalid_name?: string;
  /** Of an HTTP request, the path without its query. */
  readonly method?: string;
  readonly path?: string;
  /** Of the response, ours or the destination's. */
  readonly status?: number;
  /** What the name given stands for, where it is a Service of type ExternalName. */
  readonly external_name?: string;
  /** The app spoke HTTP, and the sidecar TLS for it. */
  readonly originated?: true;
  /** It was sent a second time: the first had met the end of its connection. */
  readonly retried?: true;
  /** Our own answers for the name. */
  readonly resolved?: readonly string[];
  readonly original_address: string;
  readonly original_port: number;
  /** What the app dialled is a Service that leads out of the cluster: `namespace/name`, */
  readonly service?: string;
  /** and so it was judged by its endpoints: `203.0.113.7:5432`, as many as may be dialled. */
  readonly service_endpoints?: readonly string[];
  readonly dialled_address?: string;
  readonly dialled_port?: number;
  /** From the app to the destination, in bytes. */
  readonly bytes_sent: number;
  /** From the destination to the app, in bytes. */
  readonly bytes_received: number;
  /** Until the destination answered, TLS included where it was originated; absent where it never did, or was connected already. */
  readonly connect_ms?: number;
  readonly duration_ms: number;
  readonly closed_by: Side;
  readonly closed_how: Ending;
  /** The system's own words for a failure: `ECONNREFUSED` and its like. */
  readonly error?: string;
}
