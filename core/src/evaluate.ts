import type { Candidate, Clauses } from "./clauses.ts";
import type { Answers, Attempt, Decision, Denied, Seen } from "./decision.ts";
import { bytesCouldHelp, counts, lack } from "./lack.ts";
import type { LedOut } from "./leading-out.ts";
import { denialOf, type Permitted, permit, refuse } from "./permit.ts";
import type { Policy } from "./policy.ts";
import type { Target } from "./target.ts";
import { throughService } from "./through-service.ts";

const NOTHING_RESOLVED: Answers = { addressesOf: () => undefined, namesOf: () => [] };

/**
 * The only place where a verdict is made. Total: an address that does not parse is covered by no rule.
 *
 *     permitted = ¬deny ∧ ( baseline ∨ in-cluster ∨ ( some rule ∧ every ceiling ) )
 *
 * of each address that could be dialled: the original one, and our own answers for the name that the app gave. A name
 * permits an address only where our own answers hold it; in-cluster is only what the app itself has dialled there. A
 * Service that leads out of the cluster is not: its endpoints are judged in its place (through-service.ts).
 */
export function evaluate(policy: Policy, attempt: Attempt): Decision {
  const decision = enforced(policy, attempt);
  if (decision.verdict !== "allow" && decision.verdict !== "deny") return decision;
  const externalName = policy.externalNameOf(attempt.seen?.name);
  const known = externalName !== undefined && { externalName };
  if (policy.mode === "enforce")
    return known && decision.verdict === "allow" ? { ...decision, ...known } : decision;
  // Audit mode is there to watch: whoever allows it, what the app dialled is dialled.
  const dial = [attempt.address];
  if (decision.verdict === "deny") {
    const service = decision.service && { service: decision.service };
    return {
      verdict: "allow",
      reason: "allowed.audit",
      dial,
      ...service,
      ...known,
      wouldBe: decision,
    };
  }
  const { port: _, ...allowed } = decision;
  return { ...allowed, dial, ...known };
}

/**
 * Whether address and port alone do not permit it: then what the app says has to, and of HTTP each request is judged by
 * itself. In audit mode nothing depends on what is said, but for HTTP that leaves as TLS.
 */
export function restsOnWords(policy: Policy, attempt: Attempt): boolean {
  if (policy.mode === "enforce")
    return enforced(policy, { ...attempt, seen: undefined }).verdict !== "allow";
  const decision = evaluate(policy, attempt);
  return decision.verdict === "allow" && decision.originate === true;
}

function enforced(policy: Policy, attempt: Attempt): Decision {
  const to = policy.target(attempt.address);
  if (!to) return refuse("denied.no_rule");
  const led = attempt.led ?? policy.leadsOut(to, attempt.port);
  return led ? enforcedThrough(policy, attempt, to, led) : enforcedAt(policy, attempt, to);
}

/** The Service itself may be denied; all else is about its endpoints. */
function enforcedThrough(policy: Policy, attempt: Attempt, to: Target, led: LedOut): Decision {
  const { address, port, seen, answers = NOTHING_RESOLVED } = attempt;
  const unknown = unresolved([policy.deny], port, answers);
  if (unknown.length > 0) return { verdict: "needs_addresses", names: unknown };
  const known = answers.namesOf(address);
  const denial = denialOf(policy, { to, port, known, ...claimOf(policy, seen) });
  if (denial) return { ...denial, service: led };
  if (isUntold(policy, port, answers)) return refuse("failed.dns");
  return throughService(led, attempt, (endpoint) => {
    const there = policy.target(endpoint.address);
    // Nor does one Service lead through another.
    if (!there || policy.leadsOut(there, endpoint.port)) return refuse("denied.no_rule");
    return enforcedAt(policy, { ...attempt, ...endpoint }, there);
  });
}

function enforcedAt(policy: Policy, attempt: Attempt, to: Target): Decision {
  const { address, port, seen, answers = NOTHING_RESOLVED } = attempt;
  const unknown = unresolved([policy.deny], port, answers);
  if (unknown.length > 0) return { verdict: "needs_addresses", names: unknown };
  const mute: Candidate = { to, port, known: answers.namesOf(address) };
  const denial = denialOf(policy, mute);
  if (denial) return denial;
  // Into the cluster no name is asked for: what is denied there is denied by its address.
  if (policy.isCluster(to, port))
    return { verdict: "allow", reason: "allowed.cluster", dial: [address] };
  if (isUntold(policy, port, answers)) return refuse("failed.dns");
  const claim = claimOf(policy, seen);
  const nameDenial = claim && denialOf(policy, { ...mute, ...claim });
  if (nameDenial) return nameDenial;

  const isNamed = claim !== undefined && isSound(seen);
  const heard: Candidate = { ...mute, protocol: spoken(seen), isNamed };
  // What is permitted whatever is said is permitted alike, whether or not somebody has looked.
  const unheard = permit(policy, mute);
  const bare = unheard.verdict === "allow" || !seen ? mute : heard;
  const byAddress = bare === mute ? unheard : permit(policy, bare);
  if (byAddress.verdict === "deny") {
    // These need no word of the app, and so come before it is waited for.
    const names = unresolved(policy.permitting, port, answers);
    if (names.length > 0) return { verdict: "needs_addresses", names };
  } else if (!policy.deny.namesAt(to, port)) {
    return {
      ...byAddress,
      dial: [address, ...alternatives(policy, bare, byAddress, address, answers)],
    };
  }
  // A denied name could be behind a permitted address, and a permitted name at another one.
  const permitted = byAddress.verdict === "allow";
  if (!seen)
    return permitted || bytesCouldHelp(policy, mute) ? { verdict: "needs_name" } : byAddress;
  return isNamed && (permitted || counts(policy, heard, claim.name, byAddress))
    ? permitByName(policy, { ...heard, ...claim }, address, answers, byAddress)
    : lack(policy, heard, { ...seen, name: claim?.name }, byAddress);
}

/**
 * The other addresses of a name that is matched by its addresses. The app cannot go on to them by itself: its connection
 * stands before anything is dialled. Where more than one name leads to what it dialled, nobody knows which it meant.
 */
function alternatives(
  policy: Policy,
  candidate: Candidate,
  { match, originate }: Permitted,
  original: string,
  answers: Answers,
): string[] {
  if (!match?.clause.hosts || candidate.known.length !== 1) return [];
  return (answers.addressesOf(match.what) ?? []).filter((address) => {
    const to = address === original ? undefined : policy.target(address);
    if (!to || policy.leadsOut(to, candidate.port)) return false;
    const there = { ...candidate, to, known: answers.namesOf(address) };
    const verdict = denialOf(policy, there) ?? permit(policy, there);
    return verdict.verdict === "allow" && verdict.originate === originate;
  });
}

/** Wherever our own answers for the name lead may be dialled, the original address first where it is among them. */
function permitByName(
  policy: Policy,
  candidate: Candidate & { readonly name: string },
  original: string,
  answers: Answers,
  byAddress: Permitted | Denied,
): Decision {
  const addresses = answers.addressesOf(candidate.name);
  if (!addresses) return { verdict: "needs_addresses", names: [candidate.name] };
  const isThere = addresses.includes(original);
  const ordered = isThere ? [original, ...addresses.filter((one) => one !== original)] : addresses;
  const dial: string[] = [];
  let permitted: Permitted | undefined;
  let refused: Denied | undefined;
  for (const address of ordered) {
    const to = address === original ? candidate.to : policy.target(address);
    if (!to) continue;
    const there = { ...candidate, to, known: answers.namesOf(address) };
    // A Service is dialled by its endpoints, or not at all.
    const verdict = policy.leadsOut(to, candidate.port)
      ? refuse("denied.private_address")
      : (denialOf(policy, there) ?? permit(policy, there));
    if (verdict.verdict === "deny") refused ??= verdict;
    else {
      permitted ??= verdict;
      // What may be dialled in the clear may not be in TLS, nor the other way about.
      if (verdict.originate === permitted.originate) dial.push(address);
    }
  }
  if (permitted) return { ...permitted, dial };
  if (!refused) return refuse("failed.dns");
  const wasRuled = byAddress.verdict === "allow" || byAddress.reason === "denied.ceiling";
  return wasRuled && !isThere ? refuse("denied.stale_address") : refused;
}

/** Names that are matched by their addresses alone, and whose addresses are not known. */
function unresolved(lists: readonly Clauses[], port: number, answers: Answers): string[] {
  if (!lists.some((list) => list.tcpNamesOn(port))) return [];
  const names = new Set(lists.flatMap((list) => list.tcpNames(port)));
  return [...names].filter((name) => answers.addressesOf(name) === undefined);
}

/** Whether it is denied cannot be told: nobody answers for a name that is. */
function isUntold({ deny }: Policy, port: number, answers: Answers): boolean {
  return deny.tcpNames(port).some((name) => answers.isUnanswered?.(name));
}

/** What the app calls the destination: a name, which may stand for another. */
function claimOf(policy: Policy, seen: Seen | undefined): Claim | undefined {
  const given = seen?.name;
  if (given === undefined) return undefined;
  const target = policy.externalNameOf(given);
  return target === undefined ? { name: given } : { name: target, alias: given };
}
type Claim = Pick<Candidate, "alias"> & { readonly name: string };

/** What is not whole counts as no protocol, and its name as none. */
function spoken(seen: Seen | undefined): string | undefined {
  return seen && seen.malformed === undefined ? seen.protocol : undefined;
}

function isSound(seen: Seen | undefined): boolean {
  return seen?.malformed === undefined && seen?.invalidName === undefined;
}
