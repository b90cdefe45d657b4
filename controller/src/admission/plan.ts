import type { PodSettings } from "./annotations.ts";
import type { PolicyControl } from "./control.ts";
import type { Identity } from "./identity.ts";
import type { InjectionOptions } from "./options.ts";
import type { PodView } from "./pod-view.ts";
import type { SidecarPlan } from "./sidecar.ts";

const DEFAULT_GRACE_SECONDS = 30;

/** Where a pod is. */
export interface Place {
  readonly namespace: string;
  readonly control?: PolicyControl | undefined;
}

/** What the sidecar of this pod is made from. */
export function planFor(
  { metadata, spec }: PodView,
  { namespace, control }: Place,
  settings: PodSettings,
  identity: Identity,
  options: InjectionOptions,
): SidecarPlan {
  return {
    options,
    settings,
    identity,
    ...(control && { control }),
    pod: { namespace, labels: metadata?.labels ?? {} },
    gracePeriodSeconds: spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS,
    appArmorType: spec.securityContext?.appArmorProfile?.type,
  };
}
