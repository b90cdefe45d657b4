import { type Concern, isConcern, sentenceOf } from "./assessment.ts";
import type { Owner } from "./owner.ts";
import { remedyOf } from "./remedy.ts";
import type { Group } from "./roll-up.ts";

/** The `reason` of the Event at a workload. */
export const EVENT_REASONS: { readonly [state in Concern["state"]]: string } = {
  missed: "SidecarMissing",
  stale: "SidecarStale",
  broken: "SidecarBroken",
};

export interface WorkloadNotice {
  readonly about: Owner;
  readonly reason: string;
  readonly message: string;
}

/** One for each workload and kind of trouble: how many pods, why, and what to do. */
export function noticesOf(groups: readonly Group[]): WorkloadNotice[] {
  const notices = new Map<string, WorkloadNotice>();
  for (const { owner, assessment, pods, example } of groups) {
    if (!isConcern(assessment)) continue;
    const reason = EVENT_REASONS[assessment.state];
    const key = `${owner.uid} ${reason}`;
    const before = notices.get(key);
    const who = pods === 1 ? `pod ${example}` : `${pods} pods (${example} is one)`;
    const sentence = `${who}: ${SAYS[assessment.state]}${sentenceOf(assessment)}`;
    notices.set(
      key,
      before
        ? { ...before, message: `${sentence}. ${before.message}` }
        : { about: owner, reason, message: `${sentence}. To do: ${remedyOf(owner, assessment)}` },
    );
  }
  return [...notices.values()];
}

const SAYS: { readonly [state in Concern["state"]]: string } = {
  missed: "no sidecar: ",
  stale: "",
  broken: "",
};
