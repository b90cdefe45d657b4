import type { JsonObject, JsonValue } from "./admission.ts";
import { caBundleVolume } from "./ca-bundle.ts";
import { STATUS } from "./names.ts";
import { initContainer, proxyContainer, type SidecarPlan } from "./sidecar.ts";
import type { Made, Status } from "./status.ts";
import { VERSION } from "./version.ts";

/** The pod with its sidecar. `pod` bears none of our names (see `eject`); ours come first in every list. */
export function inject(pod: JsonObject, plan: SidecarPlan): JsonObject {
  const spec = (pod.spec ?? {}) as JsonObject;
  const metadata = (pod.metadata ?? {}) as JsonObject;
  const annotations = (metadata.annotations ?? {}) as JsonObject;
  const init = initContainer(plan);
  const proxy = proxyContainer(plan);
  const native = plan.options.sidecar === "native";
  const { caBundle } = plan.settings;
  const volumes = caBundle ? [caBundleVolume(caBundle)] : [];
  const status: Status = {
    version: VERSION,
    images: { proxy: plan.options.images.proxy, init: plan.options.images.init },
    ...plan.identity,
    containers: [String(init.name), String(proxy.name)],
    volumes: volumes.map(({ name }) => String(name)),
    made: {
      ...made("metadata", pod.metadata),
      ...made("annotations", metadata.annotations),
      ...made("initContainers", spec.initContainers),
      ...(native ? {} : made("containers", spec.containers)),
      ...(caBundle && made("volumes", spec.volumes)),
    },
  };
  return {
    ...pod,
    metadata: { ...metadata, annotations: { ...annotations, [STATUS]: JSON.stringify(status) } },
    spec: {
      ...spec,
      initContainers: inFront(native ? [init, proxy] : [init], spec.initContainers),
      ...(!native && { containers: inFront([proxy], spec.containers) }),
      ...(caBundle && { volumes: inFront(volumes, spec.volumes) }),
    },
  };
}

function made(key: keyof Made, before: JsonValue | undefined): Made {
  if (before === undefined) return { [key]: "absent" };
  return before === null ? { [key]: "null" } : {};
}

function inFront(ours: readonly JsonObject[], theirs: JsonValue | undefined): JsonValue {
  return [...ours, ...((theirs ?? []) as readonly JsonValue[])];
}
