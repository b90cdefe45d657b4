import { countOf, OUTCOMES, type Outcome, outcomeOf } from "../src/destination-outcome.ts";
import type { DestinationSummary } from "../src/destination-summary.ts";
import { fits } from "./filter.ts";

export const LOOKS: Readonly<Record<Outcome, { readonly title: string; readonly mark: string }>> = {
  refused: { title: "Refused", mark: "✕" },
  would_be_refused: { title: "Let pass, would be refused", mark: "◐" },
  failed: { title: "Not reached", mark: "!" },
  allowed: { title: "Allowed", mark: "✓" },
};

export const SORTS = ["name", "last", "count", "sent", "received"] as const;
export type Sort = (typeof SORTS)[number];

export interface Group {
  readonly outcome: Outcome;
  readonly rows: readonly DestinationSummary[];
}

export function isSort(text: string): text is Sort {
  return (SORTS as readonly string[]).includes(text);
}

/** What the app asked for, as it is shown and sorted: its name, or else the address. */
export function placeOf({ name, invalid_name, address }: DestinationSummary): string {
  return name ?? invalid_name ?? address;
}

/** In groups by outcome, each sorted; of a filter's words, every one must be in a row somewhere. */
export function groupsOf(
  destinations: readonly DestinationSummary[],
  filter: string,
  sort: Sort,
): Group[] {
  const chosen = destinations.filter((each) => fits(filter, textOf(each)));
  chosen.sort((a, b) => ORDER[sort](a, b) || ORDER.name(a, b) || a.id - b.id);
  return OUTCOMES.map((outcome) => ({
    outcome,
    rows: chosen.filter((each) => outcomeOf(each) === outcome),
  })).filter(({ rows }) => rows.length > 0);
}

function textOf(each: DestinationSummary): string {
  const { name, invalid_name, external_name, address, port, protocol, rule, matched, nearest } =
    each;
  const { reason, would_be, last_status, last_error } = each;
  const outcome = outcomeOf(each).replaceAll("_", " ");
  return [
    ...[name, invalid_name, external_name, address, `:${port}`, protocol, rule, matched, nearest],
    ...[reason, would_be, last_status, last_error, outcome],
  ].join(" ");
}

type Order = (a: DestinationSummary, b: DestinationSummary) => number;

/** Names by what people read first: alphabetically; figures and times from the greatest down. */
const ORDER: Readonly<Record<Sort, Order>> = {
  name: (a, b) => compare(placeOf(a), placeOf(b)) || a.port - b.port,
  last: (a, b) => compare(lastOf(b), lastOf(a)),
  count: (a, b) => countOf(b) - countOf(a),
  sent: (a, b) => b.bytes_sent - a.bytes_sent,
  received: (a, b) => b.bytes_received - a.bytes_received,
};

/** What is open is seen at this moment: after any time that is written. */
function lastOf({ open, last_time, first_time }: DestinationSummary): string {
  return open > 0 ? "now" : (last_time ?? first_time);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
