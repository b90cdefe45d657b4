import type { Reason } from "./reasons.ts";

/** Who ended a connection: the app, the destination it dialled, or the sidecar between them. */
export type Side = "app" | "upstream" | "sidecar";

/** How it ended: both directions closed in order, reset, refused by policy, never connected, idle too long, cut by a drain. */
export type Ending = "end" | "reset" | "refused" | "failed" | "timeout" | "drain";

/** One per connection, complete when it ends: a line of the access log, and what the counters are made from. */
export interface DecisionRecord {
  /** When the connection was accepted: RFC 3339, UTC, milliseconds. */
  readonly time: string;
  readonly pod: string;
  readonly namespace: string;
  /** Counts up from 1 in one sidecar. */
  readonly connection: number;
  readonly verdict: "allow" | "deny";
  readonly reason: Reason;
  readonly would_be?: Reason;
  readonly rule?: string;
  readonly original_address: string;
  readonly original_port: number;
  readonly dialled_address?: string;
  readonly dialled_port?: number;
  /** From the app to the destination, in bytes. */
  readonly bytes_sent: number;
  /** From the destination to the app, in bytes. */
  readonly bytes_received: number;
  /** Until the destination answered; absent where it never did. */
  readonly connect_ms?: number;
  readonly duration_ms: number;
  readonly closed_by: Side;
  readonly closed_how: Ending;
  /** The system's own words for a failure: `ECONNREFUSED` and its like. */
  readonly error?: string;
}
