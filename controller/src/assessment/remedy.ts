import type { Concern } from "./assessment.ts";
import { formatOwner, type Owner } from "./owner.ts";

const RESTARTABLE = ["Deployment", "StatefulSet", "DaemonSet"];

/** What to do so that the workload's pods are as they would be if they were created now; a command where there is one. */
export function remedyOf(owner: Owner, concern: Pick<Concern, "refusal">): string {
  const { kind, name, namespace } = owner;
  if (concern.refusal !== undefined)
    return `mend this first, a new pod would be refused: ${oneLine(concern.refusal)}`;
  const target = formatOwner(owner);
  if (RESTARTABLE.includes(kind)) return `kubectl rollout restart ${target} -n ${namespace}`;
  switch (kind) {
    case "Pod":
      return `delete and create it again: kubectl get ${target} -n ${namespace} -o yaml shows it`;
    case "ReplicaSet":
    case "ReplicationController":
      return `delete its pods, and it makes new ones: kubectl get pods -n ${namespace}`;
    case "Job":
      return `delete it and create it again: its pod template cannot change`;
    case "CronJob":
      return `nothing, its next run is as it should be; to end the present one: kubectl delete jobs of ${name} -n ${namespace}`;
    default:
      return `have ${kind} ${name} make its pods anew`;
  }
}

/** What to do so that a workload's annotation arrives in its template: any change of it calls the webhook. */
export function carryingRemedy(owner: Owner): string {
  const { kind, namespace } = owner;
  const target = formatOwner(owner);
  if (RESTARTABLE.includes(kind)) return `kubectl rollout restart ${target} -n ${namespace}`;
  if (kind === "Job") return "delete it and create it again: its pod template cannot change";
  return `kubectl get ${target} -n ${namespace} -o yaml | kubectl replace -f -`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n-? ?/g, " ").trim();
}
