import type { Attempt, Decision, Denied, Protocol, Seen, Verdict } from "@sallyport/core/decision";
import type { Applied } from "./applied.ts";
import { type Destination, formatDestination } from "./destination.ts";
import { type Judged, judge } from "./judge.ts";
import { addressesOfService } from "./service-names.ts";
import { type Spoken, spokenOn } from "./spoken.ts";

/** A connection that an app may try, and what is known of it. */
export interface Question {
  readonly to: Destination;
  /** The name that the app gives, where it is not the one it connects to; null where it gives none. */
  readonly says?: string | null | undefined;
  /** Otherwise it is guessed. */
  readonly protocol?: Spoken | undefined;
  readonly answers: ReadonlyMap<string, readonly string[]>;
  /** Assume what is not known; otherwise it is asked for. */
  readonly assume: boolean;
}

export interface Finding {
  readonly verdict: Verdict;
  readonly attempt: Attempt;
  /** The name in question, whether the app gives it or only connects to it. */
  readonly name: string | undefined;
  /** Where that name leads, as far as it is known or assumed. */
  readonly leadsTo: readonly string[];
  readonly spoken: Spoken;
  /** The address is none: it stands for "a public one". */
  readonly isPlaceholder: boolean;
  /** What was taken for granted, a sentence each. */
  readonly assumed: readonly string[];
}

export type Asked =
  | Finding
  | { readonly verdict: "needs_addresses"; readonly names: readonly string[] };

/** Public to the policy, of a block that IANA keeps for itself; no person is to see it. */
export const SOMEWHERE_PUBLIC = "192.0.1.1";

/** Whether it would pass, whichever of its addresses the app dials. */
export function ask(applied: Applied, question: Question): Asked {
  const { to, says, answers, assume } = question;
  const { policy, snapshot } = applied;
  const name = says === undefined ? to.name : (says ?? undefined);
  // A Service that stands for a name leads where that name does.
  const meant = (each: string) => policy.externalNameOf(each) ?? each;
  const given = (each: string) =>
    answers.get(each) ?? answers.get(meant(each)) ?? addressesOfService(snapshot, each);
  const known = to.name === undefined ? undefined : given(to.name);
  if (to.name !== undefined && !known && !assume)
    return { verdict: "needs_addresses", names: [meant(to.name)] };
  const isPlaceholder = to.address === undefined && (known ?? []).length === 0;
  const dialled = to.address ? [to.address] : isPlaceholder ? [SOMEWHERE_PUBLIC] : (known ?? []);
  const assumed = new Set<string>();
  if (to.name !== undefined && !known)
    assumed.add(`${meant(to.name)} resolves to a public address`);
  if (name !== undefined && name !== to.name && !given(name) && assume)
    assumed.add(`${meant(name)} resolves to ${formatDialled(to)}`);

  const lookup = (asked: string) => {
    const own = [name, to.name].filter((each) => each !== undefined && meant(each) === asked);
    const [found] = [asked, ...own].flatMap((each) => (each && given(each) ? [given(each)] : []));
    if (found || !assume) return found;
    if (own.length > 0) return dialled;
    assumed.add(`${asked} leads elsewhere`);
    return [];
  };
  const guesses = question.protocol ? [question.protocol] : spokenOn(snapshot, to.port);
  const tried: { spoken: Spoken; judged: readonly Judged[] }[] = [];
  for (const spoken of guesses) {
    const seen = seenOf(spoken, name);
    const judged = dialled.map((address) =>
      judge(policy, { address, port: to.port, seen }, lookup),
    );
    const lacking = judged.flatMap(({ decision }) => ("names" in decision ? decision.names : []));
    if (lacking.length > 0) return { verdict: "needs_addresses", names: [...new Set(lacking)] };
    tried.push({ spoken, judged });
  }
  const best = tried.find(({ judged }) => judged.every(passes)) ?? tried[0];
  const shown = best?.judged.find((each) => !passes(each)) ?? best?.judged[0];
  if (!best || !shown) throw new Error(`${formatDestination(to)} was not judged`);
  const { decision, attempt } = shown;
  if (!isVerdict(decision)) throw new Error(`no verdict on ${formatDestination(to)}`);
  if (!question.protocol) assumed.add(guess(best.spoken, name, to.port));
  return {
    verdict: decision,
    attempt,
    name,
    leadsTo: name === undefined ? [] : (given(name) ?? dialled),
    spoken: best.spoken,
    isPlaceholder,
    assumed: [...assumed],
  };
}

/** Where the app connects to, in words. */
function formatDialled({ name, address = "" }: Destination): string {
  return name === undefined ? address : `what ${name} does`;
}

export function isVerdict(decision: Decision): decision is Verdict {
  return decision.verdict === "allow" || decision.verdict === "deny";
}

/** The refusal, even where audit mode lets it pass. */
export function refusalOf(verdict: Verdict): Denied | undefined {
  return verdict.verdict === "deny" ? verdict : verdict.wouldBe;
}

function passes({ decision }: Judged): boolean {
  return isVerdict(decision) && !refusalOf(decision);
}

const SEEN: Readonly<Record<Spoken, Protocol>> = { tls: "tls", http: "http", tcp: "opaque" };

function seenOf(spoken: Spoken, name: string | undefined): Seen {
  const protocol = SEEN[spoken];
  return protocol === "opaque" || name === undefined ? { protocol } : { protocol, name };
}

function guess(spoken: Spoken, name: string | undefined, port: number): string {
  switch (spoken) {
    case "tls":
      return `the app speaks TLS on ${port}, ${name === undefined ? "without a server name" : `with server name ${name}`}`;
    case "http":
      return `the app speaks HTTP on ${port}, ${name === undefined ? "without a Host" : `with Host ${name}`}`;
    case "tcp":
      return `the app speaks neither TLS nor HTTP on ${port}`;
  }
}
