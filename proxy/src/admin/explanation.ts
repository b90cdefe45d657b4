import type { Denied } from "@sallyport/core/decision";
import { evaluate } from "@sallyport/core/evaluate";
import { explain } from "@sallyport/core/explain";
import type { Explanation } from "@sallyport/core/explanation";
import { formatRule } from "@sallyport/core/manifest";
import type { Policy } from "@sallyport/core/policy";
import type { DecisionRecord } from "@sallyport/core/record";
import { attemptOf } from "@sallyport/core/replay";

/** A refusal that was recorded, in words, as the policy in force now has it. */
export interface ExplainedRecord extends Omit<Explanation, "egressRule"> {
  /** The rule that would permit it, for `kubectl apply -f -`. */
  readonly manifest?: string;
  /** A newer policy permits it already. */
  readonly permitted_now?: true;
}

/** Undefined where nothing was refused, by enforce mode either. */
export function explainRecord(policy: Policy, record: DecisionRecord): ExplainedRecord | undefined {
  const denied = refusalOf(record);
  if (!denied) return undefined;
  const attempt = attemptOf(record);
  const { egressRule, ...explanation } = explain(policy, attempt, denied);
  const now = evaluate(policy, attempt);
  return {
    ...explanation,
    ...(egressRule && { manifest: formatRule(egressRule) }),
    ...(now.verdict === "allow" && !now.wouldBe && { permitted_now: true }),
  };
}

function refusalOf({ reason, would_be = reason, rule }: DecisionRecord): Denied | undefined {
  if (!isDenial(would_be)) return undefined;
  // Of a refusal, `rule` is the boundary that spoke it.
  return { verdict: "deny", reason: would_be, ...(rule !== undefined && { boundary: rule }) };
}

function isDenial(reason: DecisionRecord["reason"]): reason is Denied["reason"] {
  return reason.startsWith("denied.") || reason === "failed.dns";
}

export function formatExplanation({
  message,
  nearest,
  advice,
  manifest,
  permitted_now,
}: ExplainedRecord): string {
  const lines = [
    message,
    ...(nearest ? [`nearest rule: ${nearest.rule}: ${nearest.why}`] : []),
    ...(advice === undefined ? [] : [advice]),
    ...(permitted_now ? ["the policy in force now permits it"] : []),
    ...(manifest === undefined ? [] : [`this rule would permit it:\n\n${manifest}`]),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}
