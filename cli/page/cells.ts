import { element } from "../../proxy/page/dom.ts";
import { formatAgo } from "../../proxy/page/format.ts";
import type { Outcome } from "../../proxy/src/destination-outcome.ts";

/** Within a sentence, or by itself in a row. */
export const SAYS: Readonly<Record<Outcome, string>> = {
  refused: "refused",
  would_be_refused: "would be refused",
  failed: "not reached",
  allowed: "allowed",
};

/** `label` names the figure where columns have no heads: on a phone. */
export function cell(className: string, label: string): HTMLTableCellElement {
  const made = element("td", { role: "cell", class: className });
  made.dataset.label = label;
  return made;
}

export function head(...children: readonly (Node | string)[]): HTMLTableCellElement {
  return element("th", { role: "rowheader", scope: "row" }, ...children);
}

export function row(...cells: readonly HTMLElement[]): HTMLTableRowElement {
  return element("tr", { role: "row" }, ...cells);
}

export function formatPlace({ place, port }: { place: string; port: number }): string {
  return place.includes(":") ? `[${place}]:${port}` : `${place}:${port}`;
}

export function lastSeen(last: string | undefined, nowMs: number): string {
  return last === undefined ? "open" : formatAgo(nowMs - Date.parse(last));
}
