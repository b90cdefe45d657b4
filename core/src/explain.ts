import type { Attempt, Denied } from "./decision.ts";
import { type Nearest, nearestRule, SPOKEN } from "./nearest.ts";
import type { Policy } from "./policy.ts";
import { REASONS } from "./reasons.ts";
import { remedyFor } from "./remedy.ts";
import type { EgressRule } from "./rules.ts";

/** A refusal in words. It speaks of the pod's own namespace and of boundaries by name, of nothing else. */
export interface Explanation {
  readonly reason: Denied["reason"];
  /** One sentence: what was refused, and why. */
  readonly message: string;
  /** `203.0.113.7:443` */
  readonly destination: string;
  /** The name that the app gave. */
  readonly name?: string;
  /** The rule that comes closest, and what keeps it from applying. */
  readonly nearest?: Nearest;
  /** What would permit it; absent where no rule can. */
  readonly egressRule?: EgressRule;
  /** What to do where a rule is not what is wanted. */
  readonly advice?: string;
}

export function explain(policy: Policy, attempt: Attempt, denied: Denied): Explanation {
  const { name } = attempt.seen ?? {};
  const destination = formatEndpoint(attempt.address, attempt.port);
  const nearest = nearestRule(policy, attempt, denied);
  const { rule: egressRule, boundary } = remedyFor(policy, attempt, denied);
  const advice = adviceFor(denied, egressRule !== undefined, boundary);
  return {
    reason: denied.reason,
    message: `${name === undefined ? destination : `${name} at ${destination}`} was refused: ${because(attempt, denied)}`,
    destination,
    ...(name !== undefined && { name }),
    ...(nearest && { nearest }),
    ...(egressRule && { egressRule }),
    ...(advice !== undefined && { advice }),
  };
}

export function formatEndpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The reason's sentence, with what is known of this case. */
function because({ seen, answers }: Attempt, { reason, boundary }: Denied): string {
  const details = [
    ...(boundary === undefined ? [] : [`boundary ${boundary}`]),
    ...(seen?.invalidName === undefined ? [] : [`the name given is "${seen.invalidName}"`]),
    ...(seen?.malformed === undefined ? [] : [seen.malformed]),
    ...(reason === "denied.protocol" && seen ? [`it speaks ${SPOKEN[seen.protocol]}`] : []),
    ...(reason === "denied.name_missing" && seen?.protocol === "silent" ? ["it said nothing"] : []),
    ...(reason === "denied.private_address" && seen?.name !== undefined
      ? [`it leads to ${(answers?.addressesOf(seen.name) ?? []).join(", ")}`]
      : []),
  ];
  return `${REASONS[reason]}${details.length > 0 ? ` (${details.join("; ")})` : ""}`;
}

function adviceFor(
  { reason, boundary }: Denied,
  hasRule: boolean,
  wouldRefuse: string | undefined,
): string | undefined {
  switch (reason) {
    case "denied.boundary":
      return `boundary ${boundary} denies it; only who keeps that boundary can change this`;
    case "denied.ceiling":
      return `a rule permits it already; boundary ${boundary} has to allow it, too, which who keeps it can change`;
    case "denied.malformed":
    case "failed.dns":
      return "no rule can help: see what the app sends, and whether the name exists";
    case "denied.name_invalid":
    case "denied.name_missing":
      return hasRule
        ? "the app could give a name (SNI or Host); or a rule could permit the address with protocol tcp"
        : "the app has to give a name (SNI or Host)";
    default:
      return wouldRefuse === undefined
        ? undefined
        : `a rule is not enough: boundary ${wouldRefuse} does not allow it, which only who keeps it can change`;
  }
}
