import type { Admission, JsonObject } from "./admission/admission.ts";
import { admitPod } from "./admission/pod.ts";
import { PodView } from "./admission/pod-view.ts";
import type { ReviewRequest } from "./admission/review.ts";
import { shouldInject } from "./admission/verdict.ts";
import { admitWorkload } from "./admission/workload.ts";
import { WORKLOAD_KINDS } from "./admission/workload-kinds.ts";
import { type Circumstances, type Decision, decided, ignored, isPod } from "./decision.ts";

/** The sidecar, put into a pod that is created. */
export function mutatePod(request: ReviewRequest, circumstances: Circumstances): Decision {
  const { object } = request;
  if (!isPod(request) || !object || request.subResource !== "" || request.operation !== "CREATE")
    return ignored("only the CREATE of a v1 Pod is looked at");
  return decided(admit(object, request, circumstances), leftAlone(object, circumstances));
}

/** The annotation of a workload, carried to its pods. */
export function mutateWorkload(request: ReviewRequest, circumstances: Circumstances): Decision {
  const { kind: asked, object, oldObject, operation } = request;
  const kind = WORKLOAD_KINDS.find(
    ({ group, kind }) => group === asked.group && kind === asked.kind,
  );
  if (!kind || asked.version !== "v1") return ignored("not a kind of workload that is known");
  if (!object || request.subResource !== "" || (operation !== "CREATE" && operation !== "UPDATE"))
    return ignored("only the CREATE and UPDATE of a workload are looked at");
  return decided(
    admitWorkload(
      { kind, operation, object, oldObject: oldObject ?? undefined },
      // A question about pods to come: nothing of the answer is stored but its warnings.
      (pod) => admit(pod, { ...request, dryRun: true }, circumstances),
    ),
  );
}

function admit(
  pod: JsonObject,
  { namespace, dryRun }: ReviewRequest,
  { injection, podSecurity, demands, control, now, options, draw }: Circumstances,
): Admission {
  return admitPod(
    pod,
    { namespace, injection, podSecurity, demands, control, now, dryRun: dryRun ?? false },
    options,
    draw,
  );
}

/** The code of why a pod gets no sidecar; undefined when it is one that does. */
function leftAlone(
  pod: JsonObject,
  { injection, demands }: Pick<Circumstances, "injection" | "demands">,
): string | undefined {
  const decoded = PodView.safeParse(pod);
  if (!decoded.success) return undefined;
  const verdict = shouldInject(decoded.data, injection, demands);
  return verdict.inject ? undefined : verdict.reason;
}
