/** A kind whose pods are made from a template inside it. */
export interface WorkloadKind {
  readonly group: string;
  readonly kind: string;
  /** Where the pod template is. */
  readonly template: readonly [string, ...string[]];
  /** The kind that will own the pods. */
  readonly podOwner: string;
  /** The API server refuses any change of the template after creation. */
  readonly templateIsFixed: boolean;
  /** The kind whose controller makes objects of this one, template and all. */
  readonly copiedFrom?: string;
}

const template = ["spec", "template"] as const;
const inJob = ["spec", "jobTemplate", "spec", "template"] as const;
const changing = { templateIsFixed: false };
const fixed = { templateIsFixed: true };

/** All in version v1. */
export const WORKLOAD_KINDS: readonly WorkloadKind[] = [
  { group: "apps", kind: "Deployment", template, podOwner: "ReplicaSet", ...changing },
  { group: "apps", kind: "StatefulSet", template, podOwner: "StatefulSet", ...changing },
  { group: "apps", kind: "DaemonSet", template, podOwner: "DaemonSet", ...changing },
  { group: "batch", kind: "Job", template, podOwner: "Job", ...fixed, copiedFrom: "CronJob" },
  { group: "batch", kind: "CronJob", template: inJob, podOwner: "Job", ...changing },
];
