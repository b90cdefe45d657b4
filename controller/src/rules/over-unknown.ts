import type { KnownBoundary } from "./knowledge.ts";

/**
 * The boundaries over a namespace that is so new that nobody knows its labels: it makes no difference which they are, as
 * long as none asks anything of pods; undefined where one may.
 */
export function overUnknown(boundaries: Iterable<KnownBoundary>): readonly [] | undefined {
  for (const { object } of boundaries)
    if (
      !object ||
      object.spec.injection === "required" ||
      object.spec.workloadOverrides !== undefined
    )
      return undefined;
  return [];
}
