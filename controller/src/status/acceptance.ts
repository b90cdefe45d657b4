import type { EgressBoundary, EgressRule } from "@sallyport/core/rules";
import { type Finding, listed } from "./conditions.ts";
import { type Budget, effortOf } from "./effort.ts";
import { countOf, judge, judgeBoundary, type Problem } from "./judge.ts";
import type { Over } from "./matching.ts";

/**
 * What the boundaries leave of a rule, and of each other. It is asked all the time, and costs something once: objects are
 * read once a generation. Streams and webhooks are served by the same thread, so that so much is compared at once and
 * nothing that is larger.
 */
export const MOST_EFFORT = 5_000_000;

export const ACCEPTED: Finding = {
  status: "True",
  reason: "Accepted",
  message: "it is in force as it is",
};

const TOO_LARGE: Finding = {
  status: "True",
  reason: "NotCompared",
  message:
    "it is in force; it and the boundaries are too large to be compared, and what they refuse of it is not said: explain and simulate tell of one connection",
};

type Others = Over["others"];

const rules = new WeakMap<EgressRule, { over: readonly EgressBoundary[]; finding: Finding }>();
const boundaries = new WeakMap<EgressBoundary, { others: Others; texts: readonly string[] }>();

/** Whether it is known what is to be said, or may be found out now. */
export function mayJudgeRule(
  rule: EgressRule,
  over: readonly EgressBoundary[],
  budget: Budget,
): boolean {
  if (knownOfRule(rule, over)) return true;
  const effort = effortOfRule(rule, over);
  return effort > MOST_EFFORT || budget.take(effort);
}

export function acceptedRule(rule: EgressRule, over: readonly EgressBoundary[]): Finding {
  const known = knownOfRule(rule, over);
  if (known) return known;
  if (effortOfRule(rule, over) > MOST_EFFORT) return TOO_LARGE;
  const finding = findingUnder(rule, over);
  rules.set(rule, { over, finding });
  return finding;
}

export function mayJudgeBoundary(boundary: EgressBoundary, others: Others, budget: Budget) {
  if (knownOf(boundary, others)) return true;
  const effort = effortOfBoundary(boundary, others);
  return effort > MOST_EFFORT || budget.take(effort);
}

export function acceptedBoundary(boundary: EgressBoundary, over: Over): Finding {
  const { others, unlabelled, namespaces } = over;
  const isTooLarge = !knownOf(boundary, others) && effortOfBoundary(boundary, others) > MOST_EFFORT;
  const texts = isTooLarge ? [] : [...textsOf(boundary, others)];
  if (boundary.spec.injection === "required" && unlabelled > 0)
    texts.push(
      `spec.injection: ${unlabelled} of its ${countOf(namespaces, "namespace")} lack the label sallyport.dev/injection, and pods there are not looked at`,
    );
  if (texts.length === 0) return isTooLarge ? TOO_LARGE : ACCEPTED;
  return { status: "True", reason: "PartlyWithoutEffect", message: listed(texts) };
}

function effortOfRule({ spec }: EgressRule, over: readonly EgressBoundary[]): number {
  return over.reduce(
    (sum, { spec: { allow, deny } }) => sum + effortOf(spec.to, allow) + effortOf(spec.to, deny),
    0,
  );
}

function effortOfBoundary({ spec }: EgressBoundary, others: Others): number {
  return others.reduce(
    (sum, { boundary: { spec: other } }) =>
      sum + effortOf(spec.baseline, other.deny) + effortOf(spec.allow, other.allow),
    effortOf(spec.baseline, spec.deny),
  );
}

function knownOfRule(rule: EgressRule, over: readonly EgressBoundary[]): Finding | undefined {
  const before = rules.get(rule);
  return before && isSame(before.over, over, (a, b) => a === b) ? before.finding : undefined;
}

function knownOf(boundary: EgressBoundary, others: Others): readonly string[] | undefined {
  const before = boundaries.get(boundary);
  return before &&
    isSame(
      before.others,
      others,
      (a, b) => a.boundary === b.boundary && a.namespaces === b.namespaces,
    )
    ? before.texts
    : undefined;
}

function textsOf(boundary: EgressBoundary, others: Others): readonly string[] {
  const known = knownOf(boundary, others);
  if (known) return known;
  const texts = judgeBoundary(boundary, others).map(sentence);
  boundaries.set(boundary, { others, texts });
  return texts;
}

function findingUnder(rule: EgressRule, over: readonly EgressBoundary[]): Finding {
  const { problems, permitsNothing, mode } = judge(rule, over);
  if (problems.length === 0) return ACCEPTED;
  const message = listed(problems.map(sentence));
  if (mode === "audit")
    return {
      ...{ status: "True", reason: "PartlyRefused" },
      message: `the boundaries audit, and would otherwise refuse: ${message}`,
    };
  return permitsNothing
    ? { status: "False", reason: "Refused", message: `it permits nothing: ${message}` }
    : { status: "True", reason: "PartlyRefused", message: `no pod may reach: ${message}` };
}

function sentence({ path, message }: Problem): string {
  return `${path}: ${message}`;
}

function isSame<T>(one: readonly T[], other: readonly T[], same: (a: T, b: T) => boolean) {
  return (
    one.length === other.length &&
    one.every((a, i) => {
      const b = other[i];
      return b !== undefined && same(a, b);
    })
  );
}
