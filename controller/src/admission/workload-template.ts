import type { JsonObject, JsonValue } from "./admission.ts";
import type { TemplateValue } from "./carried.ts";
import { CARRIED, INJECT } from "./names.ts";

/** The pod template at that path; `null` and nothing are an empty object, as they are to the API server. */
export function templateAt(object: JsonObject, path: readonly string[]): JsonObject {
  return path.reduce((value, key) => asObject(value[key]), object);
}

export function valueIn(template: JsonObject): TemplateValue {
  const annotations = asObject(asObject(template.metadata).annotations);
  const text = (value: JsonValue | undefined) => (typeof value === "string" ? value : undefined);
  return { inject: text(annotations[INJECT]), carried: text(annotations[CARRIED]) };
}

/** The object with these two annotations in its pod template, and nothing else changed. */
export function withValue(
  object: JsonObject,
  [key, ...rest]: readonly string[],
  value: TemplateValue,
): JsonObject {
  if (key === undefined) return annotate(object, value);
  return { ...object, [key]: withValue(asObject(object[key]), rest, value) };
}

export function asObject(value: JsonValue | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : {};
}

/** An annotations object that would be left empty goes, as the API server drops it. */
function annotate(template: JsonObject, wanted: TemplateValue): JsonObject {
  const found = valueIn(template);
  if (found.inject === wanted.inject && found.carried === wanted.carried) return template;
  const { annotations, ...metadata } = asObject(template.metadata);
  const { [INJECT]: _inject, [CARRIED]: _carried, ...others } = asObject(annotations);
  const next: JsonObject = {
    ...others,
    ...(wanted.inject !== undefined && { [INJECT]: wanted.inject }),
    ...(wanted.carried !== undefined && { [CARRIED]: wanted.carried }),
  };
  const empty = Object.keys(next).length === 0;
  return { ...template, metadata: empty ? metadata : { ...metadata, annotations: next } };
}
