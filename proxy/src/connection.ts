import { evaluate } from "@sallyport/core/evaluate";
import type { Policy } from "@sallyport/core/policy";
import type { FailReason, Reason } from "@sallyport/core/reasons";
import type { DecisionRecord, Ending } from "@sallyport/core/record";
import type { Endpoint, Finished, Inbound } from "./engine.ts";

/**
 * The way of one connection: accepted by the engine → `judge` → dialled and relayed, or refused, by the engine →
 * `recordOf` → counters and access log. Who calls these is connections.ts.
 */
export interface Judgement {
  readonly verdict: "allow" | "deny";
  readonly reason: Reason;
  readonly rule?: string;
  readonly would_be?: Reason;
  /** Why it could not be judged at all. */
  readonly error?: string;
  /** The addresses that may be dialled; empty where it is refused. */
  readonly dial: readonly string[];
}

/** A connection that the engine has, between its verdict and its end. */
export interface OpenConnection {
  /** Counts up from 1 in one sidecar. */
  readonly number: number;
  readonly startedMs: number;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly judgement: Judgement;
}

export function judge(inbound: Inbound, policy: Policy): Judgement {
  if (inbound.own) return deny("denied.loop");
  if (inbound.overLimit) return deny("denied.limit");
  if (inbound.error !== undefined) return { ...deny("failed.internal"), error: inbound.error };
  const decision = evaluate(policy, inbound.destination);
  if (decision.verdict === "deny") return deny(decision.reason);
  return {
    verdict: "allow",
    reason: decision.reason,
    ...(decision.rule !== undefined && { rule: decision.rule }),
    ...(decision.wouldBe && { would_be: decision.wouldBe }),
    dial: decision.dial,
  };
}

function deny(reason: Reason): Judgement {
  return { verdict: "deny", reason, dial: [] };
}

/** The one record of a connection, complete. */
export function recordOf(
  { number, startedMs, destination, judgement }: OpenConnection,
  end: Finished,
  pod: { readonly name: string; readonly namespace: string },
): DecisionRecord {
  const { dial, reason, ...judged } = judgement;
  const dialled = end.dialled === undefined ? undefined : dial[end.dialled];
  return {
    time: new Date(startedMs).toISOString(),
    pod: pod.name,
    namespace: pod.namespace,
    connection: number,
    ...judged,
    reason: end.how === "failed" ? failure(end.error) : reason,
    original_address: destination.address,
    original_port: destination.port,
    ...(dialled !== undefined && { dialled_address: dialled, dialled_port: destination.port }),
    bytes_sent: end.sent,
    bytes_received: end.received,
    ...(end.connectMs !== undefined && { connect_ms: end.connectMs }),
    duration_ms: end.totalMs,
    closed_by: end.by,
    closed_how: HOW[end.how],
    ...(end.error !== undefined && end.how !== "refused" && { error: end.error }),
  };
}

const HOW: Readonly<Record<Finished["how"], Ending>> = {
  end: "end",
  reset: "reset",
  refused: "refused",
  failed: "failed",
  timeout: "timeout",
  closed: "drain",
};

/** connect(2) and ip(7) errors. EPERM and EACCES are a packet filter's word on the way out. */
const FAILURES: Readonly<Record<string, FailReason>> = {
  ECONNREFUSED: "failed.connect_refused",
  ETIMEDOUT: "failed.connect_timeout",
  ECONNRESET: "failed.reset",
  EHOSTUNREACH: "failed.unreachable",
  ENETUNREACH: "failed.unreachable",
  EHOSTDOWN: "failed.unreachable",
  ENETDOWN: "failed.unreachable",
  ENONET: "failed.unreachable",
  EACCES: "failed.unreachable",
  EPERM: "failed.unreachable",
  EINVAL: "failed.unreachable",
};

function failure(code = ""): FailReason {
  return FAILURES[code] ?? "failed.internal";
}
