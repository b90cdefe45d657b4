import type { Attempt } from "@sallyport/core/decision";
import type { Explanation } from "@sallyport/core/explanation";
import type { EgressRule } from "@sallyport/core/rules";
import { type Applied, entriesOf } from "./applied.ts";
import { refusalOf } from "./ask.ts";
import { combine } from "./combine.ts";
import { explainRefusal, isPermitted, knowing, renamed } from "./suggest.ts";
import type { Group, Tally } from "./tally.ts";

/** What came of judging records again, wherever they were from. */
export interface Simulated {
  readonly tally: Tally;
  /** Lines that are no records. */
  readonly skipped: number;
  /** Records of what nobody judged. */
  readonly unjudged: number;
  /** By what was judged, where rules for other pods are worth a word. */
  readonly applied: readonly Applied[];
}

/** Undefined where it is not refused. */
export function explainGroup({ replayed, addresses }: Group): Explanation | undefined {
  const { applied, named, attempt } = replayed;
  const denied = refusalOf(replayed.verdict);
  return (
    denied &&
    explainRefusal(applied, denied, attempt, named && { ...named, addresses: [...addresses] })
  );
}

export interface Suggested {
  /** For each namespace the rule that would keep open what would be refused, */
  readonly rules: readonly EgressRule[];
  /** and what no rule keeps open. */
  readonly uncovered: readonly Group[];
}

export function suggest(tally: Tally): Suggested {
  const groups = [...tally.groups("refused"), ...tally.groups("unknown")];
  const rules: EgressRule[] = [];
  const uncovered: Group[] = [];
  for (const [namespace, its] of Map.groupBy(groups, (group) => group.namespace)) {
    const applied = its[0]?.replayed.applied;
    if (!applied) continue;
    const parts = its.flatMap((group) => explainGroup(group)?.egressRule ?? []);
    const rule = renamed(combine(parts, "allow-recorded", namespace), applied.names);
    if (parts.length > 0) rules.push(rule);
    const entries = entriesOf(applied, rule);
    uncovered.push(...its.filter((group) => !isPermitted(entries, attemptOf(group))));
  }
  return { rules, uncovered };
}

/** With all the addresses that its name has had. */
function attemptOf({ replayed: { attempt, named }, addresses }: Group): Attempt {
  return named ? knowing(attempt, { ...named, addresses: [...addresses] }) : attempt;
}
