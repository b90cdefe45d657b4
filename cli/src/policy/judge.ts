import type { Answers, Attempt, Decision } from "@sallyport/core/decision";
import { evaluate } from "@sallyport/core/evaluate";
import type { Policy } from "@sallyport/core/policy";

export interface Judged {
  /** A verdict, or what is still lacking. */
  readonly decision: Decision;
  /** With all that is known of it, for an explanation. */
  readonly attempt: Attempt;
}

/** Undefined: it is not known, and has to be asked for. */
export type Lookup = (name: string) => readonly string[] | undefined;

/**
 * As the sidecar goes about it: by address and port first, then with what the app says and our own answers, each where it
 * is asked for.
 */
export function judge(policy: Policy, told: Attempt, lookup: Lookup): Judged {
  const found = new Map<string, readonly string[]>();
  const answers: Answers = {
    addressesOf: (name) => told.answers?.addressesOf(name) ?? found.get(name),
    namesOf: (address) => [
      ...(told.answers?.namesOf(address) ?? []),
      ...[...found].flatMap(([name, its]) => (its.includes(address) ? [name] : [])),
    ],
  };
  const { seen, ...mute } = { ...told, answers };
  const full = { ...mute, seen };
  let looked = false;
  for (;;) {
    const decision = evaluate(policy, looked ? full : mute);
    if (decision.verdict === "needs_name" && seen && !looked) looked = true;
    else if (decision.verdict === "needs_addresses") {
      const names = decision.names.filter((name) => {
        const addresses = lookup(name);
        if (addresses) found.set(name, addresses);
        return !addresses;
      });
      if (names.length > 0)
        return { decision: { verdict: "needs_addresses", names }, attempt: full };
    } else return { decision, attempt: full };
  }
}
