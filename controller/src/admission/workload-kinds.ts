/** A kind whose pods are made from a template inside it. */
export interface WorkloadKind {
  readonly group: string;
  readonly version: string;
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

const POD_TEMPLATE = ["spec", "template"] as const;

export const WORKLOAD_KINDS: readonly WorkloadKind[] = [
  {
    ...{ group: "apps", version: "v1", kind: "Deployment", template: POD_TEMPLATE },
    ...{ podOwner: "ReplicaSet", templateIsFixed: false },
  },
  {
    ...{ group: "apps", version: "v1", kind: "StatefulSet", template: POD_TEMPLATE },
    ...{ podOwner: "StatefulSet", templateIsFixed: false },
  },
  {
    ...{ group: "apps", version: "v1", kind: "DaemonSet", template: POD_TEMPLATE },
    ...{ podOwner: "DaemonSet", templateIsFixed: false },
  },
  {
    ...{ group: "batch", version: "v1", kind: "Job", template: POD_TEMPLATE },
    ...{ podOwner: "Job", templateIsFixed: true, copiedFrom: "CronJob" },
  },
  {
    ...{ group: "batch", version: "v1", kind: "CronJob" },
    template: ["spec", "jobTemplate", ...POD_TEMPLATE],
    ...{ podOwner: "Job", templateIsFixed: false },
  },
];
