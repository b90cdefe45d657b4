import { element, setText } from "../../proxy/page/dom.ts";
import { formatCount } from "../../proxy/page/format.ts";
import type { Workload, WorkloadDetails } from "../src/dashboard/fleet.ts";
import { cell, head, row } from "./cells.ts";
import type { RowView } from "./keyed-rows.ts";
import { WorkloadPanel } from "./workload-panel.ts";

const COLUMNS = 5;

/** A workload, and beneath it, once it is asked for, where it goes and its pods. */
export class WorkloadRow implements RowView<Workload> {
  readonly #row: HTMLTableRowElement;
  readonly #button: HTMLButtonElement;
  readonly #mark = element("span", { class: "mark", "aria-hidden": "true" });
  readonly #name = element("span", { class: "place" });
  readonly #notes = element("span", { class: "notes quiet" });
  readonly #sidecars = cell("number", "Sidecars");
  readonly #refused = cell("number", "Refused");
  readonly #failed = cell("number", "Not reached");
  readonly #allowed = cell("number", "Allowed");
  readonly #toggled: () => void;
  #panel: WorkloadPanel | undefined;
  #workload: Workload;

  constructor(workload: Workload, toggled: () => void) {
    this.#workload = workload;
    this.#toggled = toggled;
    this.#button = element(
      "button",
      { type: "button", class: "place-button", "aria-expanded": "false" },
      this.#mark,
      element("span", { class: "what" }, this.#name, this.#notes),
    );
    this.#button.addEventListener("click", () => this.#toggle());
    this.#row = row(
      head(this.#button),
      ...[this.#sidecars, this.#refused, this.#failed, this.#allowed],
    );
  }

  get elements(): readonly HTMLElement[] {
    return this.#panel ? [this.#row, this.#panel.row] : [this.#row];
  }

  get isOpen(): boolean {
    return this.#panel !== undefined;
  }

  update(workload: Workload): void {
    const { id, pods, heard, counts, audit, troubles } = workload;
    this.#workload = workload;
    const isRefused = counts.refused > 0 || counts.would_be_refused > 0;
    this.#row.className = isRefused ? "refused" : troubles.length > 0 ? "failed" : "allowed";
    setText(this.#mark, isRefused ? "✕" : troubles.length > 0 ? "!" : "✓");
    setText(this.#name, id);
    setText(this.#notes, notesOf(audit, troubles.length));
    setText(this.#sidecars, `${formatCount(heard)} of ${formatCount(pods)}`);
    setText(
      this.#refused,
      counts.would_be_refused > 0
        ? `${formatCount(counts.refused)} + ${formatCount(counts.would_be_refused)}`
        : formatCount(counts.refused),
    );
    this.#refused.title =
      counts.would_be_refused > 0 ? "refused, and let pass in audit mode" : "refused";
    setText(this.#failed, formatCount(counts.failed));
    setText(this.#allowed, formatCount(counts.allowed));
    this.#panel?.say(troubles);
  }

  fill(details: WorkloadDetails | undefined, nowMs: number): void {
    if (details) this.#panel?.show(details, nowMs);
  }

  open(): void {
    if (!this.#panel) this.#toggle();
    this.#row.scrollIntoView({ block: "start" });
    this.#button.focus({ preventScroll: true });
  }

  #toggle(): void {
    this.#panel = this.#panel ? undefined : new WorkloadPanel(COLUMNS);
    this.#panel?.say(this.#workload.troubles);
    this.#button.setAttribute("aria-expanded", String(this.#panel !== undefined));
    this.#toggled();
  }
}

function notesOf(audit: boolean, troubles: number): string {
  return [...(audit ? ["audit"] : []), ...(troubles > 0 ? ["needs a look"] : [])].join(" · ");
}
