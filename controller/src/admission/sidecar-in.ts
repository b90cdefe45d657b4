import type { JsonObject, JsonValue } from "./admission.ts";
import { OUR_CONTAINERS, VOLUME_PREFIX } from "./names.ts";
import { asObject } from "./workload-template.ts";

/** What of a pod is the sidecar: of the two lists of containers what they begin with, and the volumes. */
export interface Sidecar {
  readonly initContainers: readonly JsonObject[];
  readonly containers: readonly JsonObject[];
  readonly volumes: readonly JsonObject[];
}

/** What bears our names where ours has to stand. */
export function sidecarIn(pod: JsonObject): Sidecar {
  const spec = asObject(pod.spec);
  return {
    initContainers: leading(objects(spec.initContainers)),
    containers: leading(objects(spec.containers)),
    volumes: objects(spec.volumes).filter(({ name }) => String(name).startsWith(VOLUME_PREFIX)),
  };
}

/** Wherever it stands. */
export function ourContainer(pod: JsonObject, name: JsonValue | undefined): JsonObject | undefined {
  const spec = asObject(pod.spec);
  return [...objects(spec.initContainers), ...objects(spec.containers)].find(
    (container) => container.name === name,
  );
}

export function objects(list: JsonValue | undefined): JsonObject[] {
  return Array.isArray(list) ? list.map(asObject) : [];
}

function leading(containers: readonly JsonObject[]): JsonObject[] {
  const end = containers.findIndex(({ name }) => !OUR_CONTAINERS.includes(String(name)));
  return containers.slice(0, end < 0 ? containers.length : end);
}
