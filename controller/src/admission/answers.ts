import type { Admission } from "./admission.ts";
import type { Refusal } from "./refusal.ts";
import { shortened } from "./warnings.ts";

/** More than these nobody reads at once. */
const MOST_REASONS = 20;

export function letThrough(warnings: readonly string[]) {
  return { allowed: true, patch: [], warnings: warnings.map(shortened) } as const;
}

export function refused(
  reasons: readonly string[],
  warnings: readonly string[] = [],
  what = "this pod",
): Admission {
  const more = reasons.length - MOST_REASONS;
  const told = [...reasons.slice(0, MOST_REASONS), ...(more > 0 ? [`and ${more} more`] : [])];
  const list = told.length === 1 ? ` ${told[0]}` : told.map((reason) => `\n- ${reason}`).join("");
  return {
    allowed: false,
    message: `Sallyport refuses ${what}:${list}`,
    warnings: warnings.map(shortened),
  };
}

export function sentence({ path, message }: Refusal): string {
  return `${path}: ${message}`;
}
