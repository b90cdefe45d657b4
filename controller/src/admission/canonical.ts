import type { JsonValue } from "./admission.ts";

/** JSON text that does not depend on the order of keys. */
export function canonical(value: JsonValue): string {
  return JSON.stringify(value, (_, item: JsonValue) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
