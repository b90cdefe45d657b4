import { cidrContains, parseAddress } from "./address.ts";
import type { Policy } from "./policy.ts";
import { portInRange } from "./ports.ts";
import type { AllowReason, DenyReason } from "./reasons.ts";

/** What is known of a connection when it is judged. */
export interface Attempt {
  /** The address that the app dialled, IPv4 or IPv6 text. */
  readonly address: string;
  readonly port: number;
}

export type Decision =
  | {
      readonly verdict: "allow";
      readonly reason: AllowReason;
      /** The policy entry that allows it, as written; absent where audit mode lets it pass. */
      readonly rule?: string;
      /** Exactly the addresses that may be dialled, in order of preference. */
      readonly dial: readonly string[];
      /** In audit mode: what enforce mode would have said. */
      readonly wouldBe?: DenyReason;
    }
  | { readonly verdict: "deny"; readonly reason: DenyReason };

/** The only place where a verdict is made. Total: an address that does not parse is covered by no entry. */
export function evaluate(policy: Policy, attempt: Attempt): Decision {
  const address = parseAddress(attempt.address);
  const entry =
    address &&
    policy.allow.find(
      ({ cidr, ports }) => cidrContains(cidr, address) && portInRange(ports, attempt.port),
    );
  if (entry)
    return {
      verdict: "allow",
      reason: "allowed.rule",
      rule: entry.rule,
      dial: [attempt.address],
    };
  if (policy.mode === "audit")
    return {
      verdict: "allow",
      reason: "allowed.audit",
      dial: [attempt.address],
      wouldBe: "denied.no_rule",
    };
  return { verdict: "deny", reason: "denied.no_rule" };
}
