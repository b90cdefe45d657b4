import type * as z from "zod";
import { areNeighbours, VERSION } from "./version.ts";

/** Under this key a configuration says which version has written it. */
export const MADE_BY = "madeBy";

export type Understood<T> =
  | {
      readonly data: T;
      /** Paths of keys that mean nothing here. */
      readonly ignored: readonly string[];
    }
  | { readonly error: z.ZodError };

/**
 * Reads a configuration strictly: an unknown key is a mistake. Where the next or the last minor version has written it, keys
 * that only that one knows are left out and told, but for those under `exact`: what a policy says must be understood or
 * refused, never half of it.
 */
export function understand<T>(
  schema: z.ZodType<T>,
  value: unknown,
  exact: readonly string[],
  own: string = VERSION,
): Understood<T> {
  const first = schema.safeParse(value);
  if (first.success) return { data: first.data, ignored: [] };
  const madeBy = (value as { [MADE_BY]?: unknown } | null)?.[MADE_BY];
  if (typeof madeBy !== "string" || madeBy === own || !areNeighbours(madeBy, own)) return first;
  const rest = structuredClone(value);
  const ignored: string[] = [];
  for (const issue of first.error.issues)
    if (issue.code === "unrecognized_keys" && !exact.includes(String(issue.path[0])))
      for (const key of issue.keys)
        if (!exact.includes(key)) {
          remove(rest, issue.path, key);
          ignored.push([...issue.path, key].join("."));
        }
  const second = schema.safeParse(rest);
  return second.success ? { data: second.data, ignored } : second;
}

function remove(value: unknown, path: readonly PropertyKey[], key: string): void {
  const holder = path.reduce<unknown>(
    (inside, step) => (inside as Record<PropertyKey, unknown>)[step],
    value,
  );
  delete (holder as Record<string, unknown>)[key];
}
