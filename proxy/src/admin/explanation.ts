import type { Attempt, Denied } from "@sallyport/core/decision";
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
  const attempt = attemptOf(record);
  const denied = refusalOf(record, attempt);
  if (!denied) return undefined;
  const { egressRule, ...explanation } = explain(policy, attempt, denied);
  // Now is where a Service leads now.
  const now = evaluate(policy, { ...attempt, led: undefined });
  return {
    ...explanation,
    ...(egressRule && { manifest: formatRule(egressRule) }),
    ...(now.verdict === "allow" && !now.wouldBe && { permitted_now: true }),
  };
}

function refusalOf(
  { reason, would_be = reason, rule }: DecisionRecord,
  { led }: Attempt,
): Denied | undefined {
  if (!isDenial(would_be)) return undefined;
  // The first endpoint is the one that was refused; a boundary may have denied the Service itself.
  const endpoint = would_be === "denied.boundary" ? undefined : led?.endpoints[0];
  return {
    ...{ verdict: "deny", reason: would_be },
    // Of a refusal, `rule` is the boundary that spoke it.
    ...(rule !== undefined && { boundary: rule }),
    ...(led && { service: led }),
    ...(endpoint && { endpoint }),
  };
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
