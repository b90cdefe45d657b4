import { formatNearest } from "@sallyport/core/explanation";
import { count, formatAmount, sum, total } from "./amount.ts";
import { place } from "./finding.ts";
import { explainGroup, type Simulated, suggest } from "./simulated.ts";
import type { Change, Group } from "./tally.ts";

const UNSEEN = "a name decides there, and the records do not show what the app says";

/** For a person. */
export function simulationText(simulation: Simulated): string[] {
  const { tally, skipped, unjudged, applied } = simulation;
  const { refused, allowed, unknown, same } = tally.judged;
  const figures = [
    ["newly refused", refused],
    ["newly allowed", allowed],
    ...(total(unknown) > 0 ? [["not to be told", unknown] as const] : []),
    ["unchanged", same],
  ] as const;
  const others = [...new Set(applied.flatMap((each) => each.others))];
  return [
    `${formatAmount(sum([refused, allowed, unknown, same]))} judged again`,
    ...figures.map(
      ([label, amount]) => `  ${label.padEnd(16)}${String(total(amount)).padStart(8)}`,
    ),
    ...(total(tally.audited) > 0
      ? [
          `${formatAmount(tally.audited)} would pass only because a boundary says audit; --enforce judges as if it did not`,
        ]
      : []),
    ...(skipped > 0
      ? [
          `skipped: ${count(skipped, "line")} that ${skipped === 1 ? "is no record" : "are no records"}`,
        ]
      : []),
    ...(unjudged > 0 ? [`skipped: ${count(unjudged, "record")} of what no rule decided`] : []),
    ...(others.length > 0
      ? [`not applied, as they are for pods of other labels (see --labels): ${others.join("; ")}`]
      : []),
    ...section(simulation, "refused", "Newly refused:", "✗"),
    ...section(simulation, "unknown", `Not to be told (${UNSEEN}):`, "?"),
    ...section(simulation, "allowed", "Newly allowed:", "✓"),
  ];
}

function section(
  simulation: Simulated,
  change: Exclude<Change, "same">,
  heading: string,
  mark: string,
): string[] {
  const groups = simulation.tally.groups(change);
  if (groups.length === 0) return [];
  const beyond = simulation.tally.beyond[change];
  return [
    "",
    heading,
    ...groups.flatMap((group) => groupLines(group, change, mark)),
    ...(total(beyond) > 0
      ? [`  and ${formatAmount(beyond)} to more destinations than are told apart`]
      : []),
  ];
}

function groupLines(group: Group, change: Change, mark: string): string[] {
  const {
    namespace,
    workload = namespace,
    destination,
    protocol,
    was,
    replayed,
    amount,
    firstSeen,
    lastSeen,
  } = group;
  const { verdict } = replayed;
  const refusal = change === "refused" ? explainGroup(group) : undefined;
  const match = verdict.verdict === "allow" ? verdict.match?.clause : undefined;
  const list = verdict.reason === "allowed.baseline" ? "baseline" : "to";
  const when = firstSeen === lastSeen ? firstSeen : `${firstSeen} to ${lastSeen}`;
  const reason = change === "unknown" ? [] : [["now", verdict.reason]];
  const lines = [
    ["was", was],
    ...reason,
    ...(refusal ? [["why", refusal.message]] : []),
    ...(refusal?.nearest ? [["nearest", formatNearest(refusal.nearest)]] : []),
    ...(match ? [["by", place(match.rule, list, match.entry)]] : []),
  ];
  return [
    `${mark} ${workload}: ${destination}${protocol === undefined ? "" : ` (${protocol})`}, ${formatAmount(amount)}, ${when}`,
    ...lines.map(([label = "", text]) => `    ${label.padEnd(8)}${text}`),
  ];
}

/** For a machine. */
export function simulationJson(simulation: Simulated): object {
  const { tally, skipped, unjudged } = simulation;
  const groups = (change: Exclude<Change, "same">) => ({
    ...tally.judged[change],
    groups: tally.groups(change).map(groupJson),
    beyond: tally.beyond[change],
  });
  return {
    newly_refused: groups("refused"),
    newly_allowed: groups("allowed"),
    unknown: groups("unknown"),
    unchanged: tally.judged.same,
    audited: tally.audited,
    skipped_lines: skipped,
    unjudged_records: unjudged,
    suggested: suggest(tally).rules,
  };
}

function groupJson(group: Group): object {
  const { verdict } = group.replayed;
  const refusal = verdict.verdict === "deny" ? explainGroup(group) : undefined;
  const match = verdict.verdict === "allow" ? verdict.match?.clause : undefined;
  return {
    namespace: group.namespace,
    ...(group.workload !== undefined && { workload: group.workload }),
    destination: group.destination,
    protocol: group.protocol,
    ...group.amount,
    first_seen: group.firstSeen,
    last_seen: group.lastSeen,
    was: group.was,
    reason: verdict.reason,
    ...(match && { rule: match.rule, entry: match.entry }),
    ...(refusal && {
      message: refusal.message,
      nearest: refusal.nearest,
      egress_rule: refusal.egressRule,
    }),
  };
}
