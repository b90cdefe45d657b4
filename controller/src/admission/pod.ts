import type { Admission, JsonObject, NamespaceInjection } from "./admission.ts";
import type { DrawIdentity } from "./identity.ts";
import type { InjectionOptions } from "./options.ts";

/** What a pod's admission depends on besides the pod. */
export interface PodRequest {
  /** From the request: the pod itself may not name its namespace. */
  readonly namespace: string;
  readonly injection: NamespaceInjection;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Nothing will be stored, so nothing is sealed that could be used later. */
  readonly dryRun?: boolean;
}

/** The journey of a pod: read it, judge whether it is to have a sidecar, refuse what could walk past one, inject. */
export function admitPod(
  _pod: JsonObject,
  _request: PodRequest,
  _options: InjectionOptions,
  _draw: DrawIdentity,
): Admission {
  return { allowed: true, patch: [], warnings: [] };
}
