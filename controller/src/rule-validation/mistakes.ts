import * as z from "zod";

const MOST = 32;
const MOST_VALUE = 100;

/** One line for each mistake: the field, what is wrong with its value, and what is right. */
export function mistakesOf({ issues }: z.ZodError, object: unknown): string[] {
  const lines = issues.map(({ path, message, code }) => {
    const found = valueAt(object, path);
    // What is checked by a word of our own names the value already, and so does what names a key.
    const named = code === "custom" || code === "unrecognized_keys" || found === undefined;
    return `${z.core.toDotPath(path) || "the object"}: ${message}${named ? "" : `, found ${shown(found)}`}`;
  });
  if (lines.length <= MOST) return lines;
  return [...lines.slice(0, MOST), `and ${lines.length - MOST} more`];
}

function valueAt(object: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null
        ? (value as Readonly<Record<PropertyKey, unknown>>)[key]
        : undefined,
    object,
  );
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= MOST_VALUE ? text : `${text.slice(0, MOST_VALUE)}…`;
}
