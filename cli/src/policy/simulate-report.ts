import { place } from "./finding.ts";
import type { Simulation } from "./simulation.ts";
import type { Change, Group } from "./tally.ts";

const UNSEEN = "a name decides there, and the records do not show what the app says";

/** For a person. */
export function simulationText(simulation: Simulation): string[] {
  const { tally, skipped, unjudged, applied } = simulation;
  const { refused, allowed, unknown, same } = tally.connections;
  const figures = [
    ["newly refused", refused],
    ["newly allowed", allowed],
    ...(unknown > 0 ? [["not to be told", unknown] as const] : []),
    ["unchanged", same],
  ] as const;
  const others = [...new Set(applied.flatMap((each) => each.others))];
  return [
    `${count(refused + allowed + unknown + same, "connection")} judged again`,
    ...figures.map(([label, figure]) => `  ${label.padEnd(16)}${String(figure).padStart(8)}`),
    ...(tally.audited > 0
      ? [
          `${count(tally.audited, "connection")} would pass only because a boundary says audit; --enforce judges as if it did not`,
        ]
      : []),
    ...(skipped > 0
      ? [
          `skipped: ${count(skipped, "line")} that ${skipped === 1 ? "is no record" : "are no records"}`,
        ]
      : []),
    ...(unjudged > 0
      ? [`skipped: ${count(unjudged, "record")} of connections that no rule decided`]
      : []),
    ...(others.length > 0
      ? [`not applied, as they are for pods of other labels (see --labels): ${others.join("; ")}`]
      : []),
    ...section(simulation, "refused", "Newly refused:", "✗"),
    ...section(simulation, "unknown", `Not to be told (${UNSEEN}):`, "?"),
    ...section(simulation, "allowed", "Newly allowed:", "✓"),
  ];
}

function section(
  simulation: Simulation,
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
    ...groups.flatMap((group) => groupLines(simulation, group, change, mark)),
    ...(beyond > 0
      ? [`  and ${count(beyond, "connection")} to more destinations than are told apart`]
      : []),
  ];
}

function groupLines(simulation: Simulation, group: Group, change: Change, mark: string): string[] {
  const { namespace, destination, protocol, was, replayed, connections, firstSeen, lastSeen } =
    group;
  const { verdict } = replayed;
  const refusal = change === "refused" ? simulation.explain(group) : undefined;
  const match = verdict.verdict === "allow" ? verdict.match?.clause : undefined;
  const list = verdict.reason === "allowed.baseline" ? "baseline" : "to";
  const when = firstSeen === lastSeen ? firstSeen : `${firstSeen} to ${lastSeen}`;
  const reason = change === "unknown" ? [] : [["now", verdict.reason]];
  const lines = [
    ["was", was],
    ...reason,
    ...(refusal ? [["why", refusal.message]] : []),
    ...(refusal?.nearest
      ? [
          [
            "nearest",
            `${place(refusal.nearest.rule, "to", refusal.nearest.entry)}: ${refusal.nearest.why}`,
          ],
        ]
      : []),
    ...(match ? [["by", place(match.rule, list, match.entry)]] : []),
  ];
  return [
    `${mark} ${namespace}: ${destination}${protocol === undefined ? "" : ` (${protocol})`}, ${count(connections, "connection")}, ${when}`,
    ...lines.map(([label = "", text]) => `    ${label.padEnd(8)}${text}`),
  ];
}

/** For a machine. */
export function simulationJson(simulation: Simulation): object {
  const { tally, skipped, unjudged } = simulation;
  const groups = (change: Exclude<Change, "same">) => ({
    connections: tally.connections[change],
    groups: tally.groups(change).map((group) => groupJson(simulation, group)),
    connections_beyond: tally.beyond[change],
  });
  return {
    newly_refused: groups("refused"),
    newly_allowed: groups("allowed"),
    unknown: groups("unknown"),
    unchanged: { connections: tally.connections.same },
    audited: { connections: tally.audited },
    skipped_lines: skipped,
    unjudged_records: unjudged,
    suggested: simulation.suggest().rules,
  };
}

function groupJson(simulation: Simulation, group: Group): object {
  const { verdict } = group.replayed;
  const refusal = verdict.verdict === "deny" ? simulation.explain(group) : undefined;
  const match = verdict.verdict === "allow" ? verdict.match?.clause : undefined;
  return {
    namespace: group.namespace,
    destination: group.destination,
    protocol: group.protocol,
    connections: group.connections,
    first_seen: group.firstSeen,
    last_seen: group.lastSeen,
    was: group.was,
    reason: verdict.reason,
    ...(match && { rule: match.rule, entry: match.entry }),
    ...(refusal && {
      message: refusal.message,
      nearest: refusal.nearest,
      egressRule: refusal.egressRule,
    }),
  };
}

export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
