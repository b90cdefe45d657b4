import type { Candidate, Clauses } from "./clauses.ts";
import type { Denied, Seen } from "./decision.ts";
import { type Permitted, permit, refuse } from "./permit.ts";
import type { Policy } from "./policy.ts";

/** Whether what the app says first could make the address permitted, or lead to one that is; names are judged by port. */
export function bytesCouldHelp(policy: Policy, candidate: Candidate): boolean {
  const { rules, baseline, ceilings } = policy;
  const { to, port } = candidate;
  const couldPermit = (list: Clauses) =>
    list.protocolsAt(to, port) || list.permits(candidate) !== undefined;
  const isRuled = couldPermit(rules);
  const namesCount =
    rules.namesOn(port) ||
    baseline.namesOn(port) ||
    (isRuled && ceilings.some(({ allow }) => allow.namesOn(port)));
  // A name leads to any address, a protocol to none but the one that was dialled.
  return namesCount
    ? baseline.on(port) || (rules.on(port) && ceilings.every(({ allow }) => allow.on(port)))
    : couldPermit(baseline) || (isRuled && ceilings.every(({ allow }) => couldPermit(allow)));
}

/** Whether a list speaks of this name where that could permit it: no other is asked of a resolver. */
export function counts(
  { rules, baseline, ceilings }: Policy,
  { port, protocol }: Candidate,
  name: string,
  byAddress: Permitted | Denied,
): boolean {
  if (rules.speaksOf(name, port, protocol) || baseline.speaksOf(name, port, protocol)) return true;
  return (
    byAddress.reason === "denied.ceiling" &&
    ceilings.some(({ allow }) => allow.speaksOf(name, port))
  );
}

/** A refusal for want of a name that counts: what was wrong with what the app said, where that made the difference. */
export function lack(
  policy: Policy,
  candidate: Candidate,
  { protocol, name, invalidName, malformed, isTooLarge }: Seen,
  byAddress: Permitted | Denied,
): Denied {
  const { rules, baseline } = policy;
  const { to, port } = candidate;
  if (byAddress.verdict === "deny") {
    if (byAddress.reason === "denied.ceiling" || !bytesCouldHelp(policy, candidate))
      return byAddress;
  }
  if (malformed !== undefined) return refuse(isTooLarge ? "denied.too_large" : "denied.malformed");
  // TLS could be spoken for it, were there a name to verify.
  if (!candidate.isNamed && permit(policy, { ...candidate, isNamed: true }).verdict === "allow")
    return refuse(invalidName === undefined ? "denied.name_missing" : "denied.name_invalid");
  const speaksOtherwise =
    rules.protocolsAt(to, port) || (name !== undefined && rules.speaksOf(name, port));
  if (byAddress.verdict === "allow" || rules.namesOn(port) || baseline.namesOn(port)) {
    if (invalidName !== undefined) return refuse("denied.name_invalid");
    const couldGive = byAddress.verdict === "allow" || CARRY_NAMES.has(protocol);
    if (name === undefined && couldGive) return refuse("denied.name_missing");
  }
  if (speaksOtherwise || name === undefined || byAddress.verdict === "allow")
    return refuse("denied.protocol");
  return byAddress;
}

/** Where the app said nothing, it could still have. */
const CARRY_NAMES: ReadonlySet<Seen["protocol"]> = new Set(["tls", "http", "silent"]);
