import { element, setText } from "../../proxy/page/dom.ts";
import { formatCount } from "../../proxy/page/format.ts";
import type { RuleRow as Rule } from "../src/dashboard/fleet.ts";
import { cell, head, row } from "./cells.ts";
import type { RowView } from "./keyed-rows.ts";

/** A rule or a boundary, with what its status says. */
export class RuleRow implements RowView<Rule> {
  readonly elements: readonly HTMLElement[];
  readonly #name = element("span", { class: "place" });
  readonly #status = cell("why", "Status");
  readonly #applied = cell("number", "Applied");
  readonly #allowed = cell("number", "Allowed");
  readonly #refused = cell("number", "Refused");

  constructor() {
    this.elements = [
      row(head(this.#name), this.#status, this.#applied, this.#allowed, this.#refused),
    ];
  }

  update({ name, matched, applied, allowed, refused, problems }: Rule): void {
    setText(this.#name, name);
    this.#status.classList.toggle("trouble", problems.length > 0);
    setText(this.#status, problems.length > 0 ? problems.join("; ") : "in force");
    setText(this.#applied, `${figure(applied)} of ${figure(matched)}`);
    setText(this.#allowed, figure(allowed));
    setText(this.#refused, figure(refused));
  }
}

function figure(count: number | undefined): string {
  return count === undefined ? "–" : formatCount(count);
}
