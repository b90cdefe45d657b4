/**
 * For checks of what a whole object means: zod leaves them out where a part of it is malformed, and every mistake is to be
 * reported at once. They run, then, and take no part for well-formed.
 */
export const EVEN_IF_MALFORMED = {
  when: ({ value }: { readonly value: unknown }): boolean =>
    typeof value === "object" && value !== null,
};

/** The items of what ought to be an array. */
export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A field of what ought to be an object. */
export function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}
