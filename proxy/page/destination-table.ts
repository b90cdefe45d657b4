import type { Outcome } from "../src/destination-outcome.ts";
import type { DestinationSummary } from "../src/destination-summary.ts";
import { arrange, element, setText } from "./dom.ts";
import { formatCount } from "./format.ts";
import { COLUMNS, RowView } from "./row-view.ts";
import { type Group, groupsOf, LOOKS, type Sort } from "./rows.ts";

interface GroupView {
  readonly body: HTMLTableSectionElement;
  readonly head: HTMLTableRowElement;
  readonly count: HTMLElement;
}

/** The destinations, in a body for each outcome; rows are kept from one time to the next, so that nothing jumps. */
export class DestinationTable {
  readonly #table: HTMLElement;
  readonly #groups = new Map<Outcome, GroupView>();
  readonly #rows = new Map<number, RowView>();
  #shown: readonly Group[] = [];

  constructor(table: HTMLElement) {
    this.#table = table;
    giveRoles(table);
  }

  /** Gives how many are shown. */
  show(
    destinations: readonly DestinationSummary[],
    {
      filter,
      sort,
      nowMs,
    }: { readonly filter: string; readonly sort: Sort; readonly nowMs: number },
  ): number {
    const known = new Set(destinations.map(({ id }) => id));
    for (const id of this.#rows.keys()) if (!known.has(id)) this.#rows.delete(id);
    for (const each of destinations) this.#viewOf(each).update(each, nowMs);
    this.#shown = groupsOf(destinations, filter, sort);
    this.#lay();
    return this.#shown.reduce((sum, { rows }) => sum + rows.length, 0);
  }

  #lay(): void {
    const [head] = this.#table.children;
    const bodies = this.#shown.map(({ outcome, rows }) => {
      const group = this.#groupOf(outcome);
      setText(group.count, formatCount(rows.length));
      arrange(group.body, [group.head, ...rows.flatMap((row) => this.#viewOf(row).elements)]);
      return group.body;
    });
    arrange(this.#table, head ? [head, ...bodies] : bodies);
  }

  #viewOf(summary: DestinationSummary): RowView {
    const found = this.#rows.get(summary.id);
    if (found) return found;
    const made = new RowView(summary, () => this.#lay());
    this.#rows.set(summary.id, made);
    return made;
  }

  #groupOf(outcome: Outcome): GroupView {
    const found = this.#groups.get(outcome);
    if (found) return found;
    const { title } = LOOKS[outcome];
    const count = element("span", { class: "count" });
    const cell = element(
      "th",
      { role: "rowheader", scope: "rowgroup", colspan: String(COLUMNS) },
      title,
      " ",
      count,
    );
    const head = element("tr", { role: "row", class: "group" }, cell);
    const body = element("tbody", { role: "rowgroup", class: outcome }, head);
    const made = { body, head, count };
    this.#groups.set(outcome, made);
    return made;
  }
}

/** Said outright, as the rows say theirs: where a phone's style displays it otherwise, some browsers see no table. */
function giveRoles(table: HTMLElement): void {
  table.setAttribute("role", "table");
  for (const [selector, role] of [
    ["thead", "rowgroup"],
    ["tr", "row"],
    ["th", "columnheader"],
  ] as const)
    for (const part of table.querySelectorAll(selector)) part.setAttribute("role", role);
}
