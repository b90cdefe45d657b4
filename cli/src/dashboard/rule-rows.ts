import type { JsonObject } from "@sallyport/controller/admission/admission";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { EgressBoundaryStatus, EgressRuleStatus } from "@sallyport/core/status";
import type { RuleRow } from "./fleet.ts";

const STATUS = { EgressRule: EgressRuleStatus, EgressBoundary: EgressBoundaryStatus } as const;

/** Rules or boundaries with what the controllers wrote on them; those with problems first. */
export function ruleRows(objects: readonly JsonObject[], kind: keyof typeof STATUS): RuleRow[] {
  return objects
    .map((object) => ruleRow(object, kind))
    .sort(
      (a, b) =>
        Number(a.problems.length === 0) - Number(b.problems.length === 0) ||
        (a.name < b.name ? -1 : 1),
    );
}

function ruleRow(object: JsonObject, kind: keyof typeof STATUS): RuleRow {
  const { name, namespace, generation } = asObject(object.metadata);
  const row = { name: namespace === undefined ? String(name) : `${namespace}/${name}` };
  if (object.status === undefined) return { ...row, problems: [NO_STATUS] };
  const read = STATUS[kind].safeParse(object.status);
  if (!read.success) return { ...row, problems: ["its status is not understood"] };
  const { matchedPods, appliedPods, allowed, refused, conditions = [] } = read.data;
  const { observedGeneration } = read.data;
  const isBehind = observedGeneration !== undefined && observedGeneration < Number(generation ?? 0);
  return {
    ...row,
    ...(matchedPods !== undefined && { matched: matchedPods }),
    ...(appliedPods !== undefined && { applied: appliedPods }),
    ...(allowed !== undefined && { allowed }),
    ...(refused !== undefined && { refused }),
    problems: [
      ...conditions
        .filter(({ status }) => status !== "True")
        .map(({ type, reason, message }) => `${type}: ${message === "" ? reason : message}`),
      ...(isBehind ? ["no controller has seen its newest version yet"] : []),
    ],
  };
}

const NO_STATUS = "no controller has written its status yet";
