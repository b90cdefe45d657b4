import type { Attempt, Verdict } from "@sallyport/core/decision";
import { attemptOf, meantBy } from "@sallyport/core/replay";
import type { Applied } from "./applied.ts";
import { isVerdict, refusalOf } from "./ask.ts";
import { judge } from "./judge.ts";
import type { RecordLine } from "./record-lines.ts";
import type { Named } from "./suggest.ts";

/** What becomes of a recorded connection, or request, under other rules. */
export interface Replayed {
  /** `unknown`: it would be refused unless the app said a fitting name, and the record does not show what it said. */
  readonly change: "refused" | "allowed" | "unknown" | "same";
  readonly verdict: Verdict;
  /** It passes only because a boundary says audit. */
  readonly isAudited: boolean;
  readonly attempt: Attempt;
  readonly named: Named | undefined;
  /** By what it was judged again. */
  readonly applied: Applied;
}

/** Of those refused, nobody judged these: the sidecar or a request was at its limit, or something else stood in the way. */
const UNJUDGED: ReadonlySet<string> = new Set([
  "denied.loop",
  "denied.limit",
  "denied.too_large",
  "failed.internal",
  "failed.reset",
]);

/** Undefined where the record tells of no judgement. */
export function replay(
  applied: Applied,
  record: RecordLine,
  answers: ReadonlyMap<string, readonly string[]>,
): Replayed | undefined {
  if (record.verdict === "deny" && UNJUDGED.has(record.reason)) return undefined;
  const told = attemptOf(record);
  const { resolved } = record;
  const name = meantBy(record);
  // Where nobody had to resolve it: the app has, and dialled what it found.
  const addresses = resolved ??
    (name === undefined ? undefined : answers.get(name)) ??
    told.led?.endpoints.map(({ address }) => address) ?? [told.address];
  const lookup = (asked: string) => (asked === name ? addresses : (answers.get(asked) ?? []));
  const { decision, attempt } = judge(applied.policy, told, lookup);
  const isUnseen = !isVerdict(decision);
  const verdict = inCluster(record, isUnseen ? UNSEEN : decision);
  const wasAllowed = record.verdict === "allow";
  const isAllowed = verdict.verdict === "allow";
  return {
    change:
      wasAllowed === isAllowed ? "same" : isUnseen ? "unknown" : isAllowed ? "allowed" : "refused",
    verdict,
    isAudited: isAllowed && refusalOf(verdict) !== undefined,
    attempt,
    named: name === undefined ? undefined : { name, addresses },
    applied,
  };
}

const UNSEEN: Verdict = { verdict: "deny", reason: "denied.name_missing" };

/** What the sidecar knew to be the cluster's own needs no rule; only a boundary refuses it. */
function inCluster({ reason, original_address }: RecordLine, verdict: Verdict): Verdict {
  if (reason !== "allowed.cluster" || refusalOf(verdict)?.reason === "denied.boundary")
    return verdict;
  return { verdict: "allow", reason, dial: [original_address] };
}
