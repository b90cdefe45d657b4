import type { JsonObject } from "@sallyport/controller/admission/admission";
import { INJECTION_LABEL, PROXY_CONTAINER } from "@sallyport/controller/admission/names";
import { objects, ourContainer } from "@sallyport/controller/admission/sidecar-in";
import { LEFT_ALONE } from "@sallyport/controller/admission/verdict";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { assessPod } from "@sallyport/controller/assessment/assess";
import { MISSED } from "@sallyport/controller/assessment/assessment";
import { ownerOfPod } from "@sallyport/controller/assessment/owner";
import { remedyOf } from "@sallyport/controller/assessment/remedy";
import { writtenAt } from "@sallyport/controller/assessment/written";
import { VERSION } from "@sallyport/core/version";

/** Why a pod's sidecar cannot be asked; undefined where it can. `namespace`: absent where it may not be read. */
export function whySilent(pod: JsonObject, namespace: JsonObject | undefined): string | undefined {
  if (!ourContainer(pod, PROXY_CONTAINER)) return `it has no sidecar: ${whyNone(pod, namespace)}`;
  const { phase, containerStatuses, initContainerStatuses } = asObject(pod.status);
  if (phase === "Succeeded" || phase === "Failed") return `it has ended (${phase})`;
  const status = [...objects(initContainerStatuses), ...objects(containerStatuses)].find(
    ({ name }) => name === PROXY_CONTAINER,
  );
  const { running, waiting, terminated } = asObject(status?.state);
  if (running !== undefined) return undefined;
  const stopped = asObject(waiting ?? terminated);
  const reason = [stopped.reason, stopped.message].filter(Boolean).join(": ");
  const name = asObject(pod.metadata).name;
  return `its sidecar does not run yet, or no more${reason === "" ? "" : ` (${reason})`}: kubectl describe pod ${name}`;
}

function whyNone(pod: JsonObject, namespace: JsonObject | undefined): string {
  if (!namespace) return "its namespace may not be read, so nobody can say why";
  const metadata = asObject(namespace.metadata);
  const label = asObject(metadata.labels)[INJECTION_LABEL];
  const name = String(metadata.name);
  if (label !== "enabled" && label !== "all")
    return `its namespace is not labelled: kubectl label namespace ${name} ${INJECTION_LABEL}=enabled`;
  const assessment = assessPod(pod, {
    ...{ namespace: name, injection: label, version: VERSION },
    labelledAtMs: writtenAt(metadata, "labels", INJECTION_LABEL),
  });
  if (assessment.state === "left_alone") return LEFT_ALONE[assessment.reason];
  if (assessment.state === "missed")
    return `${MISSED[assessment.reason]}; ${remedyOf(ownerOfPod(pod), assessment)}`;
  return "sallyport check says more";
}
