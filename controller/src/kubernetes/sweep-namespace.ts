import type { NamespaceInjection } from "../admission/admission.ts";
import { assessPod, type Installation } from "../assessment/assess.ts";
import { isConcern } from "../assessment/assessment.ts";
import { ownerOfPod } from "../assessment/owner.ts";
import { type Group, RollUp } from "../assessment/roll-up.ts";
import { attempt } from "./api-error.ts";
import type { KubernetesApi } from "./client.ts";
import { workloadOf } from "./sweep-owners.ts";
import { plain } from "./sweep-plain.ts";

/** A namespace whose label asks for sidecars. */
export interface LabelledNamespace {
  readonly name: string;
  readonly injection: NamespaceInjection;
  readonly labelledAtMs: number | undefined;
}

/** Pods held at once; of the others only what is wrong with them is kept, once for each owner. */
const PAGE = 200;
/** What has ended sends nothing any more. */
const RUNNING = "status.phase!=Succeeded,status.phase!=Failed";

/** What is wrong with the pods of a namespace, by the workloads that people know. */
export async function concernsOf(
  api: KubernetesApi,
  { name: namespace, ...label }: LabelledNamespace,
  installation: Installation,
  signal: AbortSignal,
): Promise<Group[]> {
  const byOwner = new RollUp();
  const around = { ...installation, ...label, namespace };
  let next: string | undefined;
  do {
    const page = await attempt("list", `the pods of namespace ${namespace}`, () =>
      api.core.listNamespacedPod({
        namespace,
        fieldSelector: RUNNING,
        limit: PAGE,
        ...(next !== undefined && { _continue: next }),
      }),
    );
    for (const { metadata, ...rest } of page.items) {
      if (metadata?.deletionTimestamp) continue;
      const pod = plain({ metadata, ...rest });
      const assessment = assessPod(pod, around);
      if (isConcern(assessment))
        byOwner.add({ owner: ownerOfPod(pod), assessment, pods: 1, example: metadata?.name ?? "" });
    }
    next = page.metadata?._continue;
  } while (next && !signal.aborted);

  const byWorkload = new RollUp();
  for (const group of byOwner.groups()) {
    if (signal.aborted) break;
    byWorkload.add({ ...group, owner: await workloadOf(api, group.owner) });
  }
  return byWorkload.groups();
}
