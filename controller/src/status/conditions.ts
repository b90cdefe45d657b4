import type { Condition } from "@sallyport/core/status";

export type Finding = Pick<Condition, "status" | "reason" | "message">;
export interface Findings {
  readonly Accepted: Finding;
  readonly Ready: Finding;
}

/** KEP-1623: a condition that says the same as before keeps the time since when it does. */
export function conditionsOf(
  findings: Findings,
  before: readonly Condition[] = [],
  observedGeneration: number,
  now: Date,
): Condition[] {
  return (["Accepted", "Ready"] as const).map((type) => {
    const { status, reason, message } = findings[type];
    const last = before.find((condition) => condition.type === type);
    return {
      ...{ type, status, reason, message: message.slice(0, MOST_MESSAGE) },
      lastTransitionTime:
        last?.status === status
          ? last.lastTransitionTime
          : now.toISOString().replace(/\.\d+Z$/, "Z"),
      observedGeneration,
    };
  });
}

/** A condition may be longer; nobody reads it. */
const MOST_MESSAGE = 4_096;
const MOST_LISTED = 5;

/** The first few, and how many more there are. */
export function listed(texts: readonly string[]): string {
  const more = texts.length - MOST_LISTED;
  return [...texts.slice(0, MOST_LISTED), ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}
