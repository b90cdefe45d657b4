import { REASONS } from "@sallyport/core/reasons";
import { countOf, OUTCOMES, type Outcome, outcomeOf } from "@sallyport/proxy/destination-outcome";
import type { Counts, DestinationRow } from "./fleet.ts";
import type { Destination } from "./sidecar-answers.ts";

export const NONE: Counts = { refused: 0, would_be_refused: 0, failed: 0, allowed: 0 };

export function countsOf(destinations: Iterable<Destination>): Counts {
  const counts: Record<Outcome, number> = { ...NONE };
  for (const each of destinations) counts[outcomeOf(each)] += countOf(each);
  return counts;
}

export function sumOf(all: Iterable<Counts>): Counts {
  const sum: Record<Outcome, number> = { ...NONE };
  for (const counts of all) for (const outcome of OUTCOMES) sum[outcome] += counts[outcome];
  return sum;
}

/** What several pods tell of one destination becomes one row; what was refused stands first, then what counts most. */
export function rowsOf(pods: Iterable<readonly Destination[]>): DestinationRow[] {
  const rows = new Map<string, DestinationRow>();
  for (const destinations of pods) {
    const seen = new Set<string>();
    for (const each of destinations) {
      const row = rowOf(each);
      const key = [row.place, row.port, row.protocol, row.outcome, row.reason, row.rule].join("\0");
      const before = rows.get(key);
      rows.set(key, before ? together(before, row, seen.has(key)) : row);
      seen.add(key);
    }
  }
  return [...rows.values()].sort(
    (a, b) =>
      OUTCOMES.indexOf(a.outcome) - OUTCOMES.indexOf(b.outcome) ||
      b.count - a.count ||
      (a.place < b.place ? -1 : 1),
  );
}

function rowOf(each: Destination): DestinationRow {
  const { name, invalid_name, address, port, protocol, rule, nearest, last_time } = each;
  const told = each.reason === "allowed.audit" ? (each.would_be ?? each.reason) : each.reason;
  return {
    place: (name ?? invalid_name ?? address).slice(0, 512),
    port,
    ...(protocol !== undefined && { protocol }),
    outcome: outcomeOf(each),
    reason: told,
    why: REASONS[told],
    ...(rule !== undefined && { rule }),
    ...(nearest !== undefined && { nearest }),
    count: countOf(each),
    pods: 1,
    ...(last_time !== undefined && { last: last_time }),
  };
}

function together(a: DestinationRow, b: DestinationRow, samePod: boolean): DestinationRow {
  const last = [a.last, b.last].filter((time) => time !== undefined).sort();
  const newest = last.at(-1);
  return {
    ...a,
    ...(b.nearest !== undefined && { nearest: b.nearest }),
    count: a.count + b.count,
    pods: a.pods + (samePod ? 0 : 1),
    ...(newest !== undefined && { last: newest }),
  };
}
