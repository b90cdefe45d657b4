import type { JsonObject, JsonValue } from "../admission/admission.ts";
import { objects } from "../admission/sidecar-in.ts";
import { asObject } from "../admission/workload-template.ts";

/**
 * When an object's label or annotation was written, as far as the API server tells: of each manager it keeps the fields
 * that are its own and when it last wrote one of them (meta/v1, ManagedFieldsEntry). So it is a latest time; undefined
 * where no manager is told.
 */
export function writtenAt(
  metadata: JsonObject,
  place: "labels" | "annotations",
  key: string,
): number | undefined {
  const times = objects(metadata.managedFields).flatMap((entry) => {
    const inMetadata = asObject(asObject(entry.fieldsV1)["f:metadata"]);
    const owned = Object.hasOwn(asObject(inMetadata[`f:${place}`]), `f:${key}`);
    return owned ? (timeOf(entry.time) ?? []) : [];
  });
  return times.length > 0 ? Math.max(...times) : undefined;
}

/** Milliseconds since the epoch; the API server writes whole seconds. */
export function timeOf(value: JsonValue | undefined): number | undefined {
  const ms = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
