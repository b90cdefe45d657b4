import type { PodView } from "./pod-view.ts";

/** One thing about a pod that it is refused for. */
export interface Refusal {
  /** Where in the pod as it was received: `spec.containers[0].securityContext.privileged`. */
  readonly path: string;
  /** What is wrong and what to do. */
  readonly message: string;
}

/** The user or group of every sidecar, where the installation has fixed it; drawn ones fit the pod. */
export interface FixedUser {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

export type Check = (pod: PodView, fixed: FixedUser) => Refusal[];
