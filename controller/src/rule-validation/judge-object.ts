import { EgressBoundary, EgressRule } from "@sallyport/core/rules";
import type { Admission, JsonObject } from "../admission/admission.ts";
import { judge, judgeBoundary } from "../status/judge.ts";
import { mistakesOf } from "./mistakes.ts";
import { impossibleLabels } from "./selector-oddities.ts";
import { unreachedRanges } from "./unreached-ranges.ts";

/** What the API server's own look at an object (its schema, CEL) cannot tell: the schemas by which sidecars are given it. */
export function judgeRule(object: JsonObject, boundaries: readonly EgressBoundary[]): Admission {
  const mistakes = mistakesOf(EgressRule, object);
  if (mistakes.length > 0) return refused("EgressRule", mistakes);
  const rule = EgressRule.parse(object);
  return allowed([
    ...impossibleLabels("spec.selector", rule.spec.selector),
    ...unreachedRanges("spec.to", rule.spec.to),
    ...judge(rule, boundaries).problems.map(said),
  ]);
}

export function judgeBoundaryObject(object: JsonObject): Admission {
  const mistakes = mistakesOf(EgressBoundary, object);
  if (mistakes.length > 0) return refused("EgressBoundary", mistakes);
  const boundary = EgressBoundary.parse(object);
  const { namespaceSelector, allow, baseline } = boundary.spec;
  return allowed([
    ...impossibleLabels("spec.namespaceSelector", namespaceSelector),
    // A denial knows nothing of special ranges.
    ...unreachedRanges("spec.allow", allow),
    ...unreachedRanges("spec.baseline", baseline),
    ...judgeBoundary(boundary, []).map(said),
  ]);
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
