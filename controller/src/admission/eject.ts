import type { JsonObject, JsonValue } from "./admission.ts";
import { withoutSafeToEvict } from "./eviction.ts";
import { OUR_CONTAINERS, STATUS, VOLUME_PREFIX } from "./names.ts";
import { withoutSidecars } from "./pod-resources.ts";
import { type Made, statusOf } from "./status.ts";

/**
 * Takes out of a pod whatever bears our names, whoever wrote it: our containers and volumes, and the status annotation.
 * Lists and maps that had to be made for them go too, or become the `null` that they were; the pod's own resources lose the
 * sidecar's share; all else is as it was.
 */
export function eject(pod: JsonObject): JsonObject {
  const made = statusOf(pod)?.made ?? {};
  let result = pod;
  const spec = asObject(pod.spec);
  if (spec) {
    let kept = spec;
    for (const [list, isOurs] of OURS) kept = withoutOurs(kept, list, isOurs, made[list]);
    const resources = asObject(kept.resources);
    if (resources && made.resources) {
      const theirs = withoutSidecars(resources, made.resources);
      if (theirs !== resources) kept = { ...kept, resources: theirs };
    }
    if (kept !== spec) result = { ...result, spec: kept };
  }
  return withoutStatus(result, made);
}

const isOurContainer = (name: string) => OUR_CONTAINERS.includes(name);
/** By the prefix: one that an older or newer version has put in goes, too. */
const isOurVolume = (name: string) => name.startsWith(VOLUME_PREFIX);

const OURS = [
  ["initContainers", isOurContainer],
  ["containers", isOurContainer],
  ["volumes", isOurVolume],
] as const;

function withoutOurs(
  spec: JsonObject,
  list: (typeof OURS)[number][0],
  isOurs: (name: string) => boolean,
  before: Made["containers"],
): JsonObject {
  const items = spec[list];
  if (!Array.isArray(items)) return spec;
  const kept = items.filter((item) => !isOurs(String(asObject(item)?.name)));
  return kept.length === items.length ? spec : restored(spec, list, kept, before);
}

function withoutStatus(pod: JsonObject, made: Made): JsonObject {
  const metadata = asObject(pod.metadata);
  const annotations = asObject(metadata?.annotations);
  if (!metadata || !annotations || !Object.hasOwn(annotations, STATUS)) return pod;
  const { [STATUS]: _, ...kept } = annotations;
  const before = withoutSafeToEvict(kept);
  const without = restored(metadata, "annotations", before, made.annotations);
  return restored(pod, "metadata", without, made.metadata);
}

/** `value` in its place, or what stood there before where nothing is left of it. */
function restored(
  parent: JsonObject,
  key: string,
  value: JsonValue,
  before: "absent" | "null" | undefined,
): JsonObject {
  const isEmpty = Object.keys(value as object).length === 0;
  if (!isEmpty || !before) return { ...parent, [key]: value };
  if (before === "null") return { ...parent, [key]: null };
  const { [key]: _, ...rest } = parent;
  return rest;
}

function asObject(value: JsonValue | undefined): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}
