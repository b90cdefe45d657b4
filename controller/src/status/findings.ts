import type { EgressBoundary, EgressRule } from "@sallyport/core/rules";
import type { KnownBoundary, KnownRule } from "../rules/knowledge.ts";
import { type Finding, type Findings, listed } from "./conditions.ts";
import { countOf, judge, judgeBoundary, type Problem } from "./judge.ts";
import type { Over } from "./matching.ts";
import type { Sum } from "./sum.ts";

type Applied = Pick<Sum, "appliedPods" | "behindPods" | "behind">;

/** What is to be said of a rule that is as good as its namespace's boundaries let it be. */
export function findingsOfRule(
  { namespace, object, problem }: KnownRule,
  boundaries: readonly KnownBoundary[],
  matchedPods: number,
  applied: Applied,
): Findings {
  const Accepted =
    problem === undefined
      ? acceptedRule(object, boundaries)
      : unusable(problem, object !== undefined);
  const none = object?.spec.selector
    ? `no injected pod of namespace ${namespace} has the labels of spec.selector`
    : `namespace ${namespace} has no injected pod`;
  return {
    Accepted,
    Ready: ready(Accepted, matchedPods, applied, { reason: "NoPods", message: none }),
  };
}

export function findingsOfBoundary(
  { object, problem }: KnownBoundary,
  over: Over | undefined,
  applied: Applied,
): Findings {
  const { namespaces = 0, pods = 0 } = over ?? {};
  const none =
    namespaces === 0
      ? { reason: "NoNamespaces", message: "no namespace has the labels of spec.namespaceSelector" }
      : {
          reason: "NoPods",
          message: `there is no injected pod in the ${countOf(namespaces, "namespace")} that it is over`,
        };
  const Accepted =
    problem === undefined
      ? acceptedBoundary(object, over)
      : unusable(problem, object !== undefined, BOUNDARY_WITHOUT);
  return { Accepted, Ready: ready(Accepted, pods, applied, none) };
}

const ACCEPTED: Finding = {
  status: "True",
  reason: "Accepted",
  message: "it is in force as it is",
};

function acceptedRule(rule: KnownRule["object"], boundaries: readonly KnownBoundary[]): Finding {
  if (!rule) return ACCEPTED;
  const over = boundaries.flatMap(({ object }) => object ?? []);
  const before = judged.get(rule);
  if (before && isSame(before.over, over)) return before.finding;
  const finding = findingUnder(rule, over);
  judged.set(rule, { over, finding });
  return finding;
}

/** A rule and its boundaries are read once a generation, and asked about all the time. */
const judged = new WeakMap<
  EgressRule,
  { readonly over: readonly EgressBoundary[]; readonly finding: Finding }
>();

function isSame<T>(one: readonly T[], other: readonly T[]): boolean {
  return one.length === other.length && one.every((each, i) => each === other[i]);
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

function acceptedBoundary(boundary: KnownBoundary["object"], over: Over | undefined): Finding {
  if (!boundary || !over) return ACCEPTED;
  const texts = judgeBoundary(boundary, over.others).map(sentence);
  if (boundary.spec.injection === "required" && over.unlabelled > 0)
    texts.push(
      `spec.injection: ${over.unlabelled} of its ${countOf(over.namespaces, "namespace")} lack the label sallyport.dev/injection, and pods there are not looked at`,
    );
  return texts.length === 0
    ? ACCEPTED
    : { status: "True", reason: "PartlyWithoutEffect", message: listed(texts) };
}

function sentence({ path, message }: Problem): string {
  return `${path}: ${message}`;
}

const RULE_WITHOUT = "it permits nothing";
const BOUNDARY_WITHOUT =
  "pods under it keep the policy that they have, and new ones are permitted nothing by rules";

function unusable(problem: string, hasGood: boolean, without = RULE_WITHOUT): Finding {
  const inForce = hasGood
    ? "what it said before stays in force"
    : `no earlier version of it is known that could be used: ${without}`;
  return { status: "False", reason: "Invalid", message: `${problem}; ${inForce}` };
}

function ready(
  accepted: Finding,
  matchedPods: number,
  { appliedPods, behindPods, behind }: Applied,
  none: Omit<Finding, "status">,
): Finding {
  // What kubectl shows as the reason is this condition's message.
  if (accepted.status === "False") return { ...accepted, reason: "NotAccepted" };
  if (matchedPods === 0) return { status: "False", ...none };
  const missing = matchedPods - Math.min(appliedPods, matchedPods);
  if (missing === 0)
    return {
      ...{ status: "True", reason: "Applied" },
      message:
        matchedPods === 1
          ? "its one pod has applied it"
          : `all ${matchedPods} pods have applied it`,
    };
  const names =
    behind.length > 0
      ? `: ${behind.join(", ")}${behindPods > behind.length ? " and others" : ""}`
      : "";
  const apart = missing - Math.min(behindPods, missing);
  const parts = [
    ...(missing > apart ? [`${missing - apart} connected and behind${names}`] : []),
    ...(apart > 0 ? [`${apart} not connected to a controller`] : []),
  ];
  return {
    ...{ status: "False", reason: "Applying" },
    message: `${missing} of ${countOf(matchedPods, "pod")} ${missing === 1 ? "has" : "have"} not applied it: ${parts.join(", ")}`,
  };
}
