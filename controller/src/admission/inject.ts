import { VERSION } from "@sallyport/core/version";
import type { JsonObject, JsonValue } from "./admission.ts";
import { withPluginChanges } from "./built-in-plugins.ts";
import { caBundleVolume } from "./ca-bundle.ts";
import { CONTROL_VOLUMES } from "./control.ts";
import { SAFE_TO_EVICT, safeToEvict } from "./eviction.ts";
import { STATUS } from "./names.ts";
import { withSidecars } from "./pod-resources.ts";
import { initContainer, proxyContainer, type SidecarPlan } from "./sidecar.ts";
import { ourContainer, type Sidecar } from "./sidecar-in.ts";
import type { Signed } from "./signature.ts";
import type { Made, Status } from "./status.ts";

/** How a sidecar is put in besides what the plan says. */
export interface Injection {
  /** The pod as it was received; `pod` is the same without anything that bears our names (see `eject`). */
  readonly received: JsonObject;
  readonly sign?: (sidecar: Sidecar, status: Signed["status"]) => string | undefined;
}

/** The pod with its sidecar; ours come first in every list. */
export function inject(
  pod: JsonObject,
  plan: SidecarPlan,
  { received, sign }: Injection,
): JsonObject {
  const spec = (pod.spec ?? {}) as JsonObject;
  const metadata = (pod.metadata ?? {}) as JsonObject;
  const annotations = (metadata.annotations ?? {}) as JsonObject;
  const sidecar = sidecarFor(plan, received);
  const { initContainers, containers, volumes } = sidecar;
  const ofPod = withSidecars(spec.resources, sidecar);
  const injected = {
    version: VERSION,
    images: { proxy: plan.options.images.proxy, init: plan.options.images.init },
    ...plan.identity,
    containers: [...initContainers, ...containers].map(({ name }) => String(name)),
    volumes: volumes.map(({ name }) => String(name)),
  };
  const signature = sign?.(sidecar, injected);
  const status: Status = {
    ...injected,
    ...(signature !== undefined && { signature }),
    made: {
      ...made("metadata", pod.metadata),
      ...made("annotations", metadata.annotations),
      ...made("initContainers", spec.initContainers),
      ...(containers.length > 0 && made("containers", spec.containers)),
      ...(volumes.length > 0 && made("volumes", spec.volumes)),
      ...(ofPod && { resources: ofPod.raised }),
    },
  };
  return {
    ...pod,
    metadata: {
      ...metadata,
      annotations: {
        ...annotations,
        ...safeToEvict(annotations[SAFE_TO_EVICT], volumes),
        [STATUS]: JSON.stringify(status),
      },
    },
    spec: {
      ...spec,
      ...(ofPod && { resources: ofPod.resources }),
      initContainers: inFront(initContainers, spec.initContainers),
      ...(containers.length > 0 && { containers: inFront(containers, spec.containers) }),
      ...(volumes.length > 0 && { volumes: inFront(volumes, spec.volumes) }),
    },
  };
}

function sidecarFor(plan: SidecarPlan, received: JsonObject): Sidecar {
  const [init, proxy] = [initContainer(plan), proxyContainer(plan)].map((container) =>
    withPluginChanges(container, ourContainer(received, container.name)),
  ) as [JsonObject, JsonObject];
  const native = plan.options.sidecar === "native";
  const { caBundle } = plan.settings;
  return {
    initContainers: native ? [init, proxy] : [init],
    containers: native ? [] : [proxy],
    volumes: [
      ...(caBundle ? [caBundleVolume(caBundle)] : []),
      ...(plan.control ? CONTROL_VOLUMES : []),
    ],
  };
}

function made(key: Exclude<keyof Made, "resources">, before: JsonValue | undefined): Made {
  if (before === undefined) return { [key]: "absent" };
  return before === null ? { [key]: "null" } : {};
}

function inFront(ours: readonly JsonObject[], theirs: JsonValue | undefined): JsonValue {
  return [...ours, ...((theirs ?? []) as readonly JsonValue[])];
}
