import type { JsonObject, NamespaceInjection } from "../admission/admission.ts";
import type { Demands } from "../admission/demands.ts";
import type { Installation } from "../assessment/assess.ts";
import { isConcern } from "../assessment/assessment.ts";
import { groupPods, NOT_ENDED } from "../assessment/pods.ts";
import type { Group } from "../assessment/roll-up.ts";
import { attempt } from "./api-error.ts";
import type { KubernetesApi } from "./client.ts";
import { workloadsOf } from "./sweep-owners.ts";
import { plain } from "./sweep-plain.ts";

/** A namespace whose label asks for sidecars. */
export interface LabelledNamespace {
  readonly name: string;
  readonly injection: NamespaceInjection;
  readonly labelledAtMs: number | undefined;
  readonly demands?: Demands | undefined;
}

/** Pods held at once; of the others only what is wrong with them is kept, once for each owner. */
const PAGE = 200;

/** What is wrong with the pods of a namespace, by the workloads that people know. */
export async function concernsOf(
  api: KubernetesApi,
  { name: namespace, ...label }: LabelledNamespace,
  installation: Installation,
  signal: AbortSignal,
): Promise<Group[]> {
  return await groupPods(
    podsOf(api, namespace, signal),
    { ...installation, ...label, namespace },
    (owners) => workloadsOf(api, owners, signal),
    isConcern,
  );
}

async function* podsOf(
  api: KubernetesApi,
  namespace: string,
  signal: AbortSignal,
): AsyncGenerator<JsonObject> {
  let next: string | undefined;
  do {
    const page = await attempt("list", `the pods of namespace ${namespace}`, () =>
      api.core.listNamespacedPod({
        namespace,
        fieldSelector: NOT_ENDED,
        limit: PAGE,
        ...(next !== undefined && { _continue: next }),
      }),
    );
    for (const pod of page.items) yield plain(pod);
    next = page.metadata?._continue;
  } while (next && !signal.aborted);
}
