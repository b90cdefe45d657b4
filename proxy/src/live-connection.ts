import type { Protocol } from "@sallyport/core/decision";
import type { Reason } from "@sallyport/core/reasons";
import { nameOf, type OpenConnection } from "./connection.ts";
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
  /** In audit mode: what enforce mode would have said. */
  readonly wouldBe?: Reason;
  readonly protocol?: Protocol;
  readonly name?: string;
  readonly invalidName?: string;
  readonly rule?: string;
  readonly matched?: string;
  /** What the app dialled is a Service that leads out of the cluster. */
  readonly service?: string;
  /** Where each request is judged and recorded by itself: how many have been. Those records count, not this connection. */
  readonly requests?: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

export function liveOf(
  connection: OpenConnection,
  moved: { readonly sent: number; readonly received: number } = NOTHING,
): LiveConnection {
  const { number, startedMs, source, destination, seen, outcome, http } = connection;
  const { sent, received } = http ?? moved;
  const allowed = outcome?.verdict === "allow" ? outcome : undefined;
  const matched = allowed && matchedText(allowed);
  const name = allowed ? nameOf(connection, allowed) : seen?.name;
  const wouldBe = allowed?.wouldBe;
  const rule = allowed?.match?.clause.rule ?? wouldBe?.boundary;
  return {
    ...{ id: number, startedMs, source, destination },
    reason: outcome?.reason ?? "deciding",
    ...(wouldBe && { wouldBe: wouldBe.reason }),
    ...(seen && { protocol: seen.protocol }),
    ...(name !== undefined && { name }),
    ...(seen?.invalidName !== undefined && { invalidName: seen.invalidName }),
    ...(rule !== undefined && { rule }),
    ...(matched && { matched }),
    ...(allowed?.service && { service: allowed.service.service }),
    ...(http && { requests: http.requests }),
    ...{ bytesSent: sent, bytesReceived: received },
  };
}

const NOTHING = { sent: 0, received: 0 };
