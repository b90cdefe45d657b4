import { sentence } from "./answers.ts";
import { type Demands, isRequired, required, sidecarMayBeRequired } from "./demands.ts";
import type { InjectionOptions } from "./options.ts";
import type { PodView } from "./pod-view.ts";
import type { Refusal } from "./refusal.ts";
import { weaknessesOf } from "./refusals-weakness.ts";
import { LEFT_ALONE, type LeftAlone } from "./verdict.ts";
import { weaknessWarnings } from "./warnings.ts";

/** What stands against a pod, and what its author should only know. */
export interface Judged {
  readonly reasons: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * An installation may choose to warn of dangers only; a boundary that requires the sidecar does not ask it, nor
 * one of which that is not known.
 */
export function judgeDangers(
  dangers: readonly Refusal[],
  { dangerousPods }: InjectionOptions,
  demands: Demands,
): Judged {
  const told = dangers.map(sentence);
  if (dangerousPods === "reject") return { reasons: told, warnings: [] };
  const reasons = told.flatMap((reason) =>
    isRequired(demands) ? required(reason, demands) : (sidecarMayBeRequired(reason, demands) ?? []),
  );
  return { reasons, warnings: reasons.length > 0 ? [] : told };
}

export function judgeWeaknesses(pod: PodView, options: InjectionOptions, demands: Demands): Judged {
  return isRequired(demands)
    ? { reasons: requiredSentences(weaknessesOf(pod, options), demands), warnings: [] }
    : { reasons: [], warnings: weaknessWarnings(pod, options) };
}

export function requiredSentences(refusals: readonly Refusal[], demands: Demands): string[] {
  return refusals.map((refusal) => required(sentence(refusal), demands));
}

/** Why a pod that gets no sidecar may not be without one; undefined where it may. */
export function whyNotWithout(reason: LeftAlone, demands: Demands): string | undefined {
  if (reason === "mirror") return undefined;
  return isRequired(demands)
    ? required(LEFT_ALONE[reason], demands)
    : sidecarMayBeRequired(LEFT_ALONE[reason], demands);
}
