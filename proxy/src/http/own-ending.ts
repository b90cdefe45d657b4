import type { Denied, Seen } from "@sallyport/core/decision";
import type { Explanation } from "@sallyport/core/explanation";
import type { Endpoint } from "../engine.ts";
import { type AnswerStatus, isTooLarge, statusOf } from "./answer.ts";
import type { Failure } from "./exchange.ts";
import type { Fault } from "./message/fault.ts";
import type { Told } from "./told.ts";

/** How a request ends that its destination has not answered: what is recorded of it, and what the app is told. */
export interface OwnEnding {
  readonly told: Pick<Told, "by" | "how" | "reason"> & Partial<Pick<Told, "error" | "dialled">>;
  readonly explanation: Explanation;
  readonly status: AnswerStatus;
}

/** Who puts it into words. */
export interface Explaining {
  explain(seen: Seen, denied: Denied): Explanation;
  explainFailure(seen: Seen, failure: FailedThere): Explanation;
}

/** A failure, and the address that was dialled or spoken to. */
export interface FailedThere extends Failure {
  readonly dialled?: string | undefined;
}

/** Why a newer policy refuses what was dialled; undefined where it does not. */
export type RefusalOf = (dialled: Endpoint) => Promise<Denied | undefined>;

export function refused({ explain }: Explaining, seen: Seen, denied: Denied): OwnEnding {
  const { reason } = denied;
  return {
    told: { by: "sidecar", how: "refused", reason },
    explanation: explain(seen, denied),
    status: statusOf(reason),
  };
}

/** `status`: where it is another than the fault's own. */
export function faulty(
  { explain }: Explaining,
  fault: Fault,
  status: AnswerStatus = fault.status,
): OwnEnding {
  const reason = isTooLarge(status) ? "denied.too_large" : "denied.malformed";
  const seen: Seen = { protocol: "http", malformed: fault.problem };
  return {
    told: { by: "sidecar", how: "refused", reason, error: fault.problem },
    explanation: explain(seen, { verdict: "deny", reason }),
    status,
  };
}

export function failedThere(
  { explainFailure }: Explaining,
  seen: Seen,
  failure: FailedThere,
): OwnEnding {
  const { reason, by, error, dialled } = failure;
  return {
    told: { by, how: "failed", reason, error, ...(dialled !== undefined && { dialled }) },
    explanation: explainFailure(seen, failure),
    status: statusOf(reason),
  };
}

/** A newer policy refuses it, for the reason given. */
export function revoked({ explain }: Explaining, seen: Seen, denied: Denied): OwnEnding {
  return {
    told: { by: "sidecar", how: "revoked", reason: "revoked" },
    explanation: explain(seen, denied),
    status: 403,
  };
}

export function headTooLong(maxBytes: number): Fault {
  return {
    kind: "fault",
    status: 431,
    problem: `the request head is longer than ${maxBytes} bytes`,
  };
}

export function unfinished(length: number, how: "ended" | "stopped"): Fault {
  return { kind: "fault", status: 400, problem: `it ${how} after ${length} bytes, unfinished` };
}

/** Whose turn it was. */
const SILENT = {
  app_sends: "the app has not gone on with its request",
  app_reads: "the app has not read on of its response",
  destination: "the destination has said nothing",
} as const;
export type Silent = keyof typeof SILENT;

/** Nothing has moved for so long. */
export function silent(ms: number, whose: Silent): Failure {
  const detail = `${SILENT[whose]} for ${ms} ms`;
  return { reason: "failed.response_timeout", by: "sidecar", error: "ETIMEDOUT", detail };
}
