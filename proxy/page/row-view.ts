import { countOf, outcomeOf } from "../src/destination-outcome.ts";
import type { DestinationSummary } from "../src/destination-summary.ts";
import { Details } from "./details.ts";
import { element, setText } from "./dom.ts";
import { counted, formatAgo, formatBytes, formatCount } from "./format.ts";
import { LOOKS, placeOf } from "./rows.ts";

export const COLUMNS = 6;

/** One destination: its row, and beneath it, once it is asked for, what more is known. */
export class RowView {
  readonly row: HTMLTableRowElement;
  readonly #button: HTMLButtonElement;
  readonly #mark = element("span", { class: "mark", "aria-hidden": "true" });
  readonly #place = element("span", { class: "place" });
  readonly #notes = element("span", { class: "notes quiet" });
  readonly #rule = cell("rule", "Rule");
  readonly #count = cell("number", "Count");
  readonly #sent = cell("number bytes", "Sent");
  readonly #received = cell("number bytes", "Received");
  readonly #last = cell("number last", "Last seen");
  #details: Details | undefined;
  #summary: DestinationSummary;

  /** `toggled` when its details come or go. */
  constructor(summary: DestinationSummary, toggled: () => void) {
    this.#summary = summary;
    this.#button = element(
      "button",
      { type: "button", class: "place-button", "aria-expanded": "false" },
      this.#mark,
      element("span", { class: "what" }, this.#place, this.#notes),
    );
    this.#button.addEventListener("click", () => {
      this.#toggle();
      toggled();
    });
    const head = element("th", { role: "rowheader", scope: "row" }, this.#button);
    this.row = element(
      "tr",
      { role: "row" },
      ...[head, this.#rule, this.#count, this.#sent, this.#received, this.#last],
    );
  }

  /** The row, and the one beneath it where it is open. */
  get elements(): readonly HTMLTableRowElement[] {
    return this.#details ? [this.row, this.#details.row] : [this.row];
  }

  update(summary: DestinationSummary, nowMs: number): void {
    const isNews = countOf(summary) !== countOf(this.#summary);
    this.#summary = summary;
    const outcome = outcomeOf(summary);
    this.row.className = outcome;
    setText(this.#mark, LOOKS[outcome].mark);
    setText(this.#place, placeOf(summary));
    setText(this.#notes, notesOf(summary));
    setText(this.#rule, ruleOf(summary));
    setText(this.#count, formatCount(countOf(summary)));
    this.#count.title = countedOf(summary);
    setBytes(this.#sent, summary.bytes_sent);
    setBytes(this.#received, summary.bytes_received);
    setText(this.#last, lastOf(summary, nowMs));
    this.#last.title = summary.last_time ?? "";
    if (isNews) this.row.classList.add("news");
    this.#details?.update(summary);
  }

  #toggle(): void {
    if (this.#details) {
      this.#details = undefined;
      this.#button.removeAttribute("aria-controls");
    } else {
      this.#details = new Details(this.#summary, COLUMNS);
      this.#button.setAttribute("aria-controls", this.#details.row.id);
    }
    this.#button.setAttribute("aria-expanded", String(this.#details !== undefined));
  }
}

/** `label` names the figure where columns have no heads: on a phone. */
function cell(className: string, label: string): HTMLTableCellElement {
  const made = element("td", { role: "cell", class: className });
  made.dataset.label = label;
  return made;
}

function setBytes(node: HTMLElement, bytes: number): void {
  setText(node, formatBytes(bytes));
  node.title = `${bytes} bytes`;
}

function notesOf(each: DestinationSummary): string {
  const { port, protocol, originated, name, invalid_name, external_name, open } = each;
  return [
    `:${port}`,
    ...(protocol && protocol !== "opaque" && protocol !== "silent" ? [protocol] : []),
    ...(originated ? ["→ tls"] : []),
    ...(external_name === undefined ? [] : [`→ ${external_name}`]),
    ...(name === undefined && invalid_name !== undefined ? ["no valid name"] : []),
    ...(each.last_status === undefined ? [] : [String(each.last_status)]),
    ...(open > 0 ? [`${formatCount(open)} open`] : []),
  ].join(" · ");
}

function ruleOf({ rule, nearest, reason, would_be }: DestinationSummary): string {
  if (rule !== undefined) return rule;
  if (reason === "allowed.cluster") return "in the cluster";
  if (nearest !== undefined) return `nearest: ${nearest}`;
  return would_be ?? reason;
}

function countedOf({ connections, requests, open }: DestinationSummary): string {
  return [
    ...(requests > 0 ? [counted(requests, "request")] : []),
    ...(connections > 0 ? [counted(connections, "ended connection")] : []),
    ...(open > 0 ? [counted(open, "open connection")] : []),
  ].join(", ");
}

function lastOf({ open, last_time }: DestinationSummary, nowMs: number): string {
  if (open > 0) return "open";
  return last_time === undefined ? "" : formatAgo(nowMs - Date.parse(last_time));
}
