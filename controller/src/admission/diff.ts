import { isDeepStrictEqual } from "node:util";
import type { JsonObject, JsonValue, PatchOperation } from "./admission.ts";

/**
 * The RFC 6902 operations that turn one object into another, as few and as deep as they can be: what is equal at both
 * ends of a list is left alone, so that two containers put in front are two additions. Keys are compared without their
 * order.
 */
export function diff(before: JsonObject, after: JsonObject): PatchOperation[] {
  return objects("", before, after);
}

function values(path: string, before: JsonValue, after: JsonValue): PatchOperation[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (isArray(before) && isArray(after)) return arrays(path, before, after);
  if (isObject(before) && isObject(after)) return objects(path, before, after);
  return [{ op: "replace", path, value: after }];
}

function objects(path: string, before: JsonObject, after: JsonObject): PatchOperation[] {
  const gone = Object.keys(before)
    .filter((key) => !Object.hasOwn(after, key))
    .map((key): PatchOperation => ({ op: "remove", path: member(path, key) }));
  const rest = Object.entries(after).flatMap(([key, value]): PatchOperation[] => {
    const old = Object.hasOwn(before, key) ? before[key] : undefined;
    if (value === undefined) return [];
    if (old === undefined) return [{ op: "add", path: member(path, key), value }];
    return values(member(path, key), old, value);
  });
  return [...gone, ...rest];
}

function arrays(
  path: string,
  before: readonly JsonValue[],
  after: readonly JsonValue[],
): PatchOperation[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && isDeepStrictEqual(before[head], after[head])) head++;
  let tail = 0;
  while (
    tail < shorter - head &&
    isDeepStrictEqual(before[before.length - 1 - tail], after[after.length - 1 - tail])
  )
    tail++;
  const old = before.slice(head, before.length - tail);
  const wanted = after.slice(head, after.length - tail);
  const both = Math.min(old.length, wanted.length);
  return [
    ...wanted
      .slice(0, both)
      .flatMap((value, i) => values(`${path}/${head + i}`, old[i] ?? null, value)),
    // From the end, so that the numbers of those before it stay true.
    ...old.slice(both).map(
      (_, i): PatchOperation => ({
        op: "remove",
        path: `${path}/${head + old.length - 1 - i}`,
      }),
    ),
    ...wanted
      .slice(both)
      .map(
        (value, i): PatchOperation => ({ op: "add", path: `${path}/${head + both + i}`, value }),
      ),
  ];
}

/** A JSON Pointer (RFC 6901 §4). */
function member(path: string, key: string): string {
  return `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
