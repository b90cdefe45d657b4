import type { Reason } from "@sallyport/core/reasons";
import type { OpenConnection } from "./connection.ts";
import { matchedText } from "./connection-record.ts";
import type { Endpoint } from "./engine.ts";

/** What is known of a connection before it ends; the record says the rest. */
export interface LiveConnection {
  readonly id: number;
  readonly startedMs: number;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  /** `deciding` until there is a verdict. */
  readonly reason: Reason | "deciding";
  readonly name?: string;
  readonly rule?: string;
  readonly matched?: string;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

export function liveOf(
  { number, startedMs, source, destination, seen, outcome }: OpenConnection,
  { sent, received }: { readonly sent: number; readonly received: number } = NOTHING,
): LiveConnection {
  const allowed = outcome?.verdict === "allow" ? outcome : undefined;
  const matched = allowed && matchedText(allowed);
  return {
    ...{ id: number, startedMs, source, destination },
    reason: outcome?.reason ?? "deciding",
    ...(seen?.name !== undefined && { name: seen.name }),
    ...(allowed?.match && { rule: allowed.match.clause.rule }),
    ...(matched && { matched }),
    ...{ bytesSent: sent, bytesReceived: received },
  };
}

const NOTHING = { sent: 0, received: 0 };
