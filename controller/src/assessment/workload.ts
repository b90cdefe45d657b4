import type { JsonObject } from "../admission/admission.ts";
import { carry } from "../admission/carried.ts";
import { INJECT } from "../admission/names.ts";
import { objects } from "../admission/sidecar-in.ts";
import type { WorkloadKind } from "../admission/workload-kinds.ts";
import { asObject, templateAt, valueIn } from "../admission/workload-template.ts";
import type { Uncarried } from "./assessment.ts";

/**
 * Whether a workload's own annotation has arrived in its pod template, as the workload webhook would carry it now;
 * undefined where it has. That webhook may be passed by (failurePolicy Ignore), and is not called before the namespace
 * has its label.
 */
export function assessWorkload(kind: WorkloadKind, workload: JsonObject): Uncarried | undefined {
  const { annotations, ownerReferences } = asObject(workload.metadata);
  const own = asObject(annotations)[INJECT];
  const template = valueIn(templateAt(workload, kind.template));
  const { template: wanted } = carry({
    own: typeof own === "string" ? own : undefined,
    template,
    before: template,
    inherited: objects(ownerReferences).some(({ kind: owner }) => owner === kind.copiedFrom),
  });
  if (wanted.inject === template.inject) return undefined;
  return wanted.inject === undefined ? "not_taken_back" : "not_carried";
}
