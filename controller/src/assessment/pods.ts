import type { JsonObject } from "../admission/admission.ts";
import { asObject } from "../admission/workload-template.ts";
import { assessPod, type Surroundings } from "./assess.ts";
import type { Assessment } from "./assessment.ts";
import { type Owner, ownerOfPod } from "./owner.ts";
import { type Group, RollUp } from "./roll-up.ts";

/** The field selector of pods that are looked at: what has ended sends nothing any more. */
export const NOT_ENDED = "status.phase!=Succeeded,status.phase!=Failed";

/**
 * The pods of a namespace by the workloads that people know. Of the pods none is kept: only what they are, once for each
 * owner. `workloadsOf` says whom ReplicaSets and Jobs belong to.
 */
export async function groupPods(
  pods: AsyncIterable<JsonObject>,
  around: Surroundings,
  workloadsOf: (owners: readonly Owner[]) => Promise<(owner: Owner) => Owner>,
  isTold: (assessment: Assessment) => boolean = () => true,
): Promise<Group[]> {
  const byOwner = new RollUp();
  for await (const pod of pods) {
    const { name, deletionTimestamp } = asObject(pod.metadata);
    if (deletionTimestamp) continue;
    const assessment = assessPod(pod, around);
    if (isTold(assessment))
      byOwner.add({ owner: ownerOfPod(pod), assessment, pods: 1, example: String(name) });
  }
  const groups = byOwner.groups();
  const workloadOf = await workloadsOf(groups.map(({ owner }) => owner));
  const byWorkload = new RollUp();
  for (const group of groups) byWorkload.add({ ...group, owner: workloadOf(group.owner) });
  return byWorkload.groups();
}
