import type { Admission, JsonObject, NamespaceInjection } from "./admission/admission.ts";
import type { DrawIdentity } from "./admission/identity.ts";
import type { InjectionOptions } from "./admission/options.ts";
import { admitPod } from "./admission/pod.ts";
import { PodView } from "./admission/pod-view.ts";
import type { ReviewRequest } from "./admission/review.ts";
import { shouldInject } from "./admission/verdict.ts";
import { admitWorkload } from "./admission/workload.ts";
import { WORKLOAD_KINDS } from "./admission/workload-kinds.ts";

/** What admission depends on besides the request. */
export interface Mutation {
  readonly webhook: "pods" | "workloads";
  readonly injection: NamespaceInjection;
  readonly options: InjectionOptions;
  readonly draw: DrawIdentity;
  readonly now: number;
}

export interface Mutated {
  readonly admission: Admission;
  readonly verdict: "changed" | "unchanged" | "refused" | "ignored";
  /** Why, for the log. */
  readonly reason?: string;
}

export function mutate(request: ReviewRequest, mutation: Mutation): Mutated {
  return mutation.webhook === "pods"
    ? mutatePod(request, mutation)
    : mutateWorkload(request, mutation);
}

function mutatePod(request: ReviewRequest, mutation: Mutation): Mutated {
  const { kind, object } = request;
  const isPod = kind.group === "" && kind.version === "v1" && kind.kind === "Pod";
  if (!isPod || !object || request.subResource !== "" || request.operation !== "CREATE")
    return ignored("only the CREATE of a v1 Pod is looked at");
  return told(admit(object, request, mutation), leftAlone(object, mutation.injection));
}

function mutateWorkload(request: ReviewRequest, mutation: Mutation): Mutated {
  const { kind: asked, object, oldObject, operation } = request;
  const kind = WORKLOAD_KINDS.find(
    ({ group, kind }) => group === asked.group && kind === asked.kind,
  );
  if (!kind || asked.version !== "v1") return ignored("not a kind of workload that is known");
  if (!object || request.subResource !== "" || (operation !== "CREATE" && operation !== "UPDATE"))
    return ignored("only the CREATE and UPDATE of a workload are looked at");
  return told(
    admitWorkload(
      { kind, operation, object, oldObject: oldObject ?? undefined },
      // A question about pods to come: nothing of the answer is stored but its warnings.
      (pod) => admit(pod, { ...request, dryRun: true }, mutation),
    ),
  );
}

function admit(pod: JsonObject, request: ReviewRequest, mutation: Mutation): Admission {
  return admitPod(
    pod,
    {
      namespace: request.namespace,
      injection: mutation.injection,
      now: mutation.now,
      dryRun: request.dryRun ?? false,
    },
    mutation.options,
    mutation.draw,
  );
}

function told(admission: Admission, unchanged?: string): Mutated {
  if (!admission.allowed) return { admission, verdict: "refused", reason: admission.message };
  if (admission.patch.length > 0) return { admission, verdict: "changed" };
  return { admission, verdict: "unchanged", ...(unchanged !== undefined && { reason: unchanged }) };
}

function ignored(reason: string): Mutated {
  return { admission: { allowed: true, patch: [], warnings: [] }, verdict: "ignored", reason };
}

/** The code of why a pod gets no sidecar; undefined when it is one that does. */
function leftAlone(pod: JsonObject, injection: NamespaceInjection): string | undefined {
  const decoded = PodView.safeParse(pod);
  if (!decoded.success) return undefined;
  const verdict = shouldInject(decoded.data, injection);
  return verdict.inject ? undefined : verdict.reason;
}
