import { MADE_BY } from "@sallyport/core/skew";
import { VERSION } from "@sallyport/core/version";
import type { JsonObject, JsonValue } from "./admission.ts";

/**
 * A container's configuration as text, with who has written it. What is empty is left out: an image of the last minor
 * version would refuse keys of a policy that it does not know, and is not to meet those that nobody uses. What stands in a
 * list stays to the letter: in a boundary, an empty `allow` means something.
 */
export function configText(config: object): string {
  return JSON.stringify({ [MADE_BY]: VERSION, ...withoutEmpty(config as JsonObject) });
}

function withoutEmpty(object: JsonObject): JsonObject {
  const kept = Object.entries(object)
    .map(([key, value]) => [key, isPlain(value) ? withoutEmpty(value) : value] as const)
    .filter(([, value]) => !isEmpty(value));
  return Object.fromEntries(kept);
}

function isPlain(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEmpty(value: JsonValue | undefined): boolean {
  return Array.isArray(value)
    ? value.length === 0
    : isPlain(value) && Object.keys(value).length === 0;
}
