import type { DestinationSummary } from "./destination-summary.ts";

/** What came of it, in the order in which a reader wants to know. */
export const OUTCOMES = ["refused", "would_be_refused", "failed", "allowed"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export function outcomeOf({ reason }: Pick<DestinationSummary, "reason">): Outcome {
  if (reason === "allowed.audit") return "would_be_refused";
  if (reason.startsWith("allowed.")) return "allowed";
  // A name without an address was never judged to the end; everything else that failed had been allowed.
  return reason.startsWith("failed.") ? "failed" : "refused";
}

/** Of requests or connections, whichever are judged there, the open ones included. */
export function countOf({
  open,
  connections,
  requests,
}: Pick<DestinationSummary, "open" | "connections" | "requests">): number {
  return requests > 0 ? requests + connections : connections + open;
}
