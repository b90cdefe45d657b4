import type { Candidate, Match, Target } from "./clauses.ts";
import type { Allowed, Answers, Attempt, Decision, Denied, Seen } from "./decision.ts";
import type { Policy } from "./policy.ts";
import type { AllowReason, DenyReason } from "./reasons.ts";

const NOTHING_RESOLVED: Answers = { addressesOf: () => undefined, namesOf: () => [] };

/**
 * The only place where a verdict is made. Total: an address that does not parse is covered by no rule.
 *
 *     permitted = ¬deny ∧ ( baseline ∨ in-cluster ∨ ( some rule ∧ every ceiling ) )
 *
 * of each address that could be dialled: the original one, and our own answers for the name that the app gave. A name
 * counts for an address only where our own answers hold it.
 */
export function evaluate(policy: Policy, attempt: Attempt): Decision {
  const decision = enforced(policy, attempt);
  if (policy.mode === "enforce") return decision;
  // Audit mode is there to watch: whoever allows it, what the app dialled is dialled.
  const dial = [attempt.address];
  if (decision.verdict === "allow") return { ...decision, dial };
  if (decision.verdict !== "deny") return decision;
  return { verdict: "allow", reason: "allowed.audit", dial, wouldBe: decision };
}

function enforced(policy: Policy, attempt: Attempt): Decision {
  const { address, port, seen, answers = NOTHING_RESOLVED } = attempt;
  const to = policy.target(address);
  if (!to) return deny("denied.no_rule");
  const unknown = (names: readonly string[]) =>
    names.filter((name) => answers.addressesOf(name) === undefined);

  const deniedNames = unknown(policy.deny.tcpNames(port));
  if (deniedNames.length > 0) return { verdict: "needs_addresses", names: deniedNames };
  const bare: Candidate = { to, port, protocol: seen?.protocol, known: answers.namesOf(address) };
  const denial = policy.deny.covers(bare);
  if (denial) return deny("denied.boundary", denial.clause.rule);
  // A name that is denied is one outside: what is the cluster's own is denied by its address.
  if (policy.isCluster(to, port))
    return { verdict: "allow", reason: "allowed.cluster", dial: [address] };

  const byAddress = permit(policy, bare);
  const nameRequired = policy.deny.namesOn(port);
  if (byAddress.verdict === "allow" && !nameRequired) return { ...byAddress, dial: [address] };
  if (!seen && (byAddress.verdict === "allow" || bytesCouldHelp(policy, to, port)))
    return { verdict: "needs_name" };
  const name = seen?.name;
  if (name !== undefined && (byAddress.verdict === "allow" || speaksOf(policy, name, port, seen)))
    return byName(
      policy,
      { ...bare, name },
      byAddress.verdict === "allow",
      attempt.address,
      answers,
    );

  const tcpNames = unknown([...policy.baseline.tcpNames(port), ...policy.rules.tcpNames(port)]);
  if (tcpNames.length > 0) return { verdict: "needs_addresses", names: tcpNames };
  if (byAddress.verdict === "deny" && byAddress.reason === "denied.ceiling") return byAddress;
  return deny(lack(policy, to, port, seen) ?? (byAddress.reason as DenyReason));
}

/**
 * The name counts: wherever our own answers lead may be dialled, the original address first where it is among them.
 * `expected`: an address rule would allow the original one, if only the name were true.
 */
function byName(
  policy: Policy,
  bare: Candidate & { readonly name: string },
  expected: boolean,
  original: string,
  answers: Answers,
): Decision {
  const addresses = answers.addressesOf(bare.name);
  if (!addresses) return { verdict: "needs_addresses", names: [bare.name] };
  const denial = policy.deny.covers(bare);
  if (denial) return deny("denied.boundary", denial.clause.rule);
  const isThere = addresses.includes(original);
  const others = addresses.filter((address) => address !== original);
  const dial: string[] = [];
  let first: Permitted | undefined;
  let refused: Denied | undefined = expected && !isThere ? deny("denied.stale_address") : undefined;
  for (const address of isThere ? [original, ...others] : others) {
    const to = policy.target(address);
    if (!to) continue;
    const candidate = { ...bare, to, known: answers.namesOf(address) };
    const denied = policy.deny.covers(candidate);
    const verdict = denied
      ? deny("denied.boundary", denied.clause.rule)
      : permit(policy, candidate);
    if (verdict.verdict === "deny") {
      refused ??= verdict;
      continue;
    }
    first ??= verdict;
    dial.push(address);
  }
  if (first) return { ...first, dial };
  return refused ?? deny("failed.dns");
}

type Permitted = Omit<Allowed, "dial">;

/** One address, by what is known of it. */
function permit(policy: Policy, candidate: Candidate): Permitted | Denied {
  const { to, port, name, protocol } = candidate;
  const allow = (reason: AllowReason, match: Match): Permitted => ({
    verdict: "allow",
    reason,
    match,
    ...(match.ports.protocol === "https" && protocol === "http" && { originate: true }),
  });
  const baseline = policy.baseline.permits(candidate);
  if (baseline) return allow("allowed.baseline", baseline);
  const rule = policy.rules.permits(candidate);
  if (rule) {
    const ceiling = policy.ceilings.find(({ allow: list }) => !list.permits(candidate));
    return ceiling ? deny("denied.ceiling", ceiling.boundary) : allow("allowed.rule", rule);
  }
  if (name !== undefined && to.least > 0) return deny("denied.private_address");
  const byName = name === undefined && policy.rules.tcpNames(port).length > 0;
  return deny(byName ? "denied.stale_address" : "denied.no_rule");
}

/** Whether what the app says first could make the difference. */
function bytesCouldHelp({ rules, baseline, ceilings }: Policy, to: Target, port: number): boolean {
  const permitted = rules.bytesCouldHelp(to, port) || ceilings.some((c) => c.allow.namesOn(port));
  return permitted || baseline.bytesCouldHelp(to, port);
}

/** Whether anything could permit this name: no other is asked of a resolver. */
function speaksOf(policy: Policy, name: string, port: number, seen: Seen | undefined): boolean {
  const { rules, baseline, ceilings } = policy;
  return [rules, baseline, ...ceilings.map(({ allow }) => allow)].some((list) =>
    list.speaksOf(name, port, seen?.protocol),
  );
}

/** What was wrong with what the app said, where that could have made the difference. */
function lack(
  policy: Policy,
  to: Target,
  port: number,
  seen: Seen | undefined,
): DenyReason | undefined {
  if (!seen || !(policy.deny.namesOn(port) || bytesCouldHelp(policy, to, port))) return undefined;
  if (seen.malformed !== undefined) return "denied.malformed";
  if (seen.invalidName !== undefined) return "denied.name_invalid";
  if (seen.name !== undefined)
    return policy.rules.speaksOf(seen.name, port) ? "denied.protocol" : undefined;
  return seen.protocol === "opaque" || seen.protocol === "http2"
    ? "denied.protocol"
    : "denied.name_missing";
}

function deny(reason: Denied["reason"], boundary?: string): Denied {
  return { verdict: "deny", reason, ...(boundary !== undefined && { boundary }) };
}
