import { type Destination, EgressBoundary, EgressRule } from "@sallyport/core/rules";
import type { Admission, JsonObject } from "../admission/admission.ts";
import { effortOf } from "../status/effort.ts";
import { judge, judgeBoundary } from "../status/judge.ts";
import { mistakesOf } from "./mistakes.ts";
import { impossibleLabels } from "./selector-oddities.ts";
import { unreachedRanges } from "./unreached-ranges.ts";

/** What the API server's own look at an object (its schema, CEL) cannot tell: the schemas by which sidecars are given it. */
export function judgeRule(object: JsonObject, boundaries: readonly EgressBoundary[]): Admission {
  const { data: rule, error } = EgressRule.safeParse(object);
  if (!rule) return refused("EgressRule", mistakesOf(error, object));
  return allowed([
    ...impossibleLabels("spec.selector", rule.spec.selector),
    ...unreachedRanges("spec.to", rule.spec.to),
    ...(isQuick(rule.spec.to, boundaries.flatMap(listsOf))
      ? judge(rule, boundaries).problems
      : []
    ).map(said),
  ]);
}

export function judgeBoundaryObject(object: JsonObject): Admission {
  const { data: boundary, error } = EgressBoundary.safeParse(object);
  if (!boundary) return refused("EgressBoundary", mistakesOf(error, object));
  const { namespaceSelector, allow, deny, baseline } = boundary.spec;
  return allowed([
    ...impossibleLabels("spec.namespaceSelector", namespaceSelector),
    // A denial knows nothing of special ranges.
    ...unreachedRanges("spec.allow", allow),
    ...unreachedRanges("spec.baseline", baseline),
    ...(isQuick(baseline, deny) ? judgeBoundary(boundary, []) : []).map(said),
  ]);
}

/**
 * What is compared with what costs their product, and whoever creates a pod waits meanwhile: of a rule that is larger than
 * any that people write, its status alone tells.
 */
const MOST_COMPARED = 200_000;

function isQuick(list: readonly Destination[] | undefined, other: readonly Destination[] = []) {
  return effortOf(list, other) <= MOST_COMPARED;
}

function listsOf({ spec: { allow = [], deny = [] } }: EgressBoundary): Destination[] {
  return [...allow, ...deny];
}

function said({ path, message }: { readonly path: string; readonly message: string }): string {
  return `${path}: ${message}`;
}

function refused(kind: string, mistakes: readonly string[]): Admission {
  const message = `this ${kind} cannot be used:\n${mistakes.map((line) => `  ${line}`).join("\n")}`;
  return { allowed: false, message, warnings: [] };
}

function allowed(warnings: readonly string[]): Admission {
  return { allowed: true, patch: [], warnings };
}
