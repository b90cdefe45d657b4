import type { PodView } from "./pod-view.ts";
import type { Check, FixedUser, Refusal } from "./refusal.ts";
import { CONFLICTS } from "./refusals-conflict.ts";
import { DANGERS } from "./refusals-danger.ts";

export interface Refusals {
  /** With these a pod could walk past its sidecar; an installation may choose to warn only. */
  readonly dangers: readonly Refusal[];
  /** With these a sidecar cannot work in the pod at all. */
  readonly conflicts: readonly Refusal[];
}

/** Every one that holds, not only the first. */
export function refusalsOf(pod: PodView, fixed: FixedUser): Refusals {
  const all = (checks: readonly Check[]) => checks.flatMap((check) => check(pod, fixed));
  return { dangers: all(DANGERS), conflicts: all(CONFLICTS) };
}
