import type { Candidate, Match } from "./clauses.ts";
import type { Allowed, Denied } from "./decision.ts";
import type { Policy } from "./policy.ts";
import type { AllowReason } from "./reasons.ts";

/** The formula of evaluate.ts for one address, by what is known of it; that it is not denied is for the caller. */
export type Permitted = Omit<Allowed, "dial">;

export function permit(policy: Policy, candidate: Candidate): Permitted | Denied {
  if (candidate.protocol !== "http" || !candidate.isNamed) return permitAs(policy, candidate);
  // What the app speaks as HTTP may leave as TLS where a rule says https: where either would do, TLS. That is verified
  // for a name, and so there has to be one.
  const asTls = permitAs(policy, { ...candidate, protocol: "https" });
  if (asTls.verdict === "allow") return asTls;
  const asIs = permitAs(policy, candidate);
  return asIs.verdict === "deny" && asTls.reason === "denied.ceiling" ? asTls : asIs;
}

function permitAs(policy: Policy, candidate: Candidate): Permitted | Denied {
  const baseline = policy.baseline.permits(candidate);
  if (baseline) return allow("allowed.baseline", baseline, candidate);
  const rule = policy.rules.permits(candidate);
  if (!rule) return refuse(unruled(policy, candidate));
  // A ceiling is about what leaves.
  const leaving = isOriginated(candidate) ? { ...candidate, protocol: "tls" } : candidate;
  const ceiling = policy.ceilings.find(({ allow: list }) => !list.permits(leaving));
  return ceiling
    ? refuse("denied.ceiling", ceiling.boundary)
    : allow("allowed.rule", rule, candidate);
}

/** Why no rule permits it: it leads inside, or a name by whose addresses it is matched leads elsewhere. */
function unruled({ rules, baseline }: Policy, { to, port, protocol, name, known }: Candidate) {
  const isNamed = (list: Policy["rules"]) =>
    (name !== undefined && list.speaksOf(name, port, protocol)) || list.keeps(known, port);
  if (to.least > 0 && (isNamed(rules) || isNamed(baseline))) return "denied.private_address";
  return name === undefined && rules.tcpNamesOn(port) ? "denied.stale_address" : "denied.no_rule";
}

/** What refuses an address whatever else permits it. */
export function denialOf(policy: Policy, candidate: Candidate): Denied | undefined {
  const match = policy.deny.covers(candidate);
  return match && refuse("denied.boundary", match.clause.rule);
}

export function refuse(reason: Denied["reason"], boundary?: string): Denied {
  return { verdict: "deny", reason, ...(boundary !== undefined && { boundary }) };
}

function allow(reason: AllowReason, match: Match, candidate: Candidate): Permitted {
  return { verdict: "allow", reason, match, ...(isOriginated(candidate) && { originate: true }) };
}

function isOriginated({ protocol }: Candidate): boolean {
  return protocol === "https";
}
