import type { JsonObject, JsonValue } from "./admission.ts";
import { VOLUME_PREFIX } from "./names.ts";

/**
 * The cluster autoscaler removes no node that runs a pod with a local volume, an emptyDir or hostPath, unless the volume's
 * name is in this list, which it splits at commas and does not trim (cluster-autoscaler/utils/drain/drain.go,
 * HasBlockingLocalStorage). The sidecar's local volumes are named here, beside what the pod's author has named.
 */
export const SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes";

/** What the pod says of its local volumes, said of ours as well; nothing where none of ours is local. */
export function safeToEvict(
  written: JsonValue | undefined,
  ours: readonly JsonObject[],
): JsonObject | undefined {
  const local = ours.filter(({ emptyDir, hostPath }) => (emptyDir ?? hostPath) != null);
  if (local.length === 0) return undefined;
  const names = local.map(({ name }) => String(name));
  return {
    [SAFE_TO_EVICT]: [...(typeof written === "string" ? [written] : []), ...names].join(","),
  };
}

/** Annotations without our volumes' names: what was written before, to the letter. */
export function withoutSafeToEvict(annotations: JsonObject): JsonObject {
  const { [SAFE_TO_EVICT]: written, ...others } = annotations;
  if (typeof written !== "string") return annotations;
  const names = written.split(",");
  const theirs = names.filter((name) => !name.startsWith(VOLUME_PREFIX));
  if (theirs.length === names.length) return annotations;
  return theirs.length === 0 ? others : { ...annotations, [SAFE_TO_EVICT]: theirs.join(",") };
}
