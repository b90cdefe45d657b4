import type { KnownBoundary, KnownRule } from "../rules/knowledge.ts";
import { ACCEPTED, acceptedBoundary, acceptedRule } from "./acceptance.ts";
import type { Finding, Findings } from "./conditions.ts";
import { countOf } from "./judge.ts";
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
      ? object
        ? acceptedRule(object, objectsOf(boundaries))
        : ACCEPTED
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
      ? object && over
        ? acceptedBoundary(object, over)
        : ACCEPTED
      : unusable(problem, object !== undefined, BOUNDARY_WITHOUT);
  return { Accepted, Ready: ready(Accepted, pods, applied, none) };
}

export function objectsOf(boundaries: readonly KnownBoundary[]) {
  return boundaries.flatMap(({ object }) => object ?? []);
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
