import { CARRIED, INJECT, INJECTION_LABEL, STATUS } from "../admission/names.ts";
import type { LeftAlone } from "../admission/verdict.ts";

/** Why a pod that is to have a sidecar has none. */
export const MISSED = {
  before_label: `it is older than its namespace's label ${INJECTION_LABEL}, and no pod is changed while it runs`,
  before_annotation: `its annotation ${INJECT} is younger than the pod, and no pod is changed while it runs`,
  not_called:
    "the webhook was not called for it, or could not be reached and was not insisted on (failurePolicy Ignore)",
  boundary_requires:
    "a boundary requires it: the pod is older than that, or the webhook was not called for it",
  unknown: "the API server does not say what was there first, the pod or the label",
} as const;
export type Missed = keyof typeof MISSED;

/** Why a sidecar is another than the pod would be given now. */
export const STALE = {
  version: "its sidecar is of another version than the installation",
  images: "its sidecar has other images than the installation injects",
  configuration: "its sidecar has another configuration than the installation gives",
  unwanted: "it has a sidecar and would be given none now",
} as const;
export type Stale = keyof typeof STALE;

/** What is wrong with a sidecar that is not as it was injected. */
export const BROKEN = {
  unreadable: "the pod cannot be read",
  no_status: `it has our containers, but no annotation ${STATUS} that can be read`,
  container_missing: "one of the sidecar's containers is missing",
  image_changed: "a container of the sidecar runs another image than was injected",
  changed: "its sidecar is not as it was injected",
  not_first: "containers start before the sidecar, and connect past it",
} as const;
export type Broken = keyof typeof BROKEN;

/** What a workload says of its pods, and they do not: its template lacks what is to be carried there. */
export const UNCARRIED = {
  not_carried: `its annotation ${INJECT} is not in its pod template: the namespace was labelled later, or the webhook could not be reached`,
  not_taken_back: `its pod template still says what an annotation ${INJECT} has said before (${CARRIED})`,
} as const;
export type Uncarried = keyof typeof UNCARRIED;

/** What a running pod is, measured by what it would be if it were created now. */
export type Assessment =
  | { readonly state: "injected" }
  | { readonly state: "left_alone"; readonly reason: LeftAlone }
  | ({ readonly state: "missed"; readonly reason: Missed } & Again)
  | ({ readonly state: "stale"; readonly reason: Stale; readonly detail: string } & Again)
  | ({ readonly state: "broken"; readonly reason: Broken; readonly detail: string } & Again);

/** Whether creating the pod anew would mend it. */
interface Again {
  /** Why the webhook would refuse the pod, were it created now. */
  readonly refusal?: string;
}

export type State = Assessment["state"];

/** Somebody has to do something. */
export type Concern = Extract<Assessment, { state: "missed" | "stale" | "broken" }>;

export function isConcern(assessment: Assessment): assessment is Concern {
  return assessment.state !== "injected" && assessment.state !== "left_alone";
}

/** A clause that follows "the pod: ", with what is particular to this one. */
export function sentenceOf(concern: Concern): string {
  if (concern.state === "missed") return MISSED[concern.reason];
  const general = concern.state === "stale" ? STALE[concern.reason] : BROKEN[concern.reason];
  return concern.detail === "" ? general : `${general}: ${concern.detail}`;
}
