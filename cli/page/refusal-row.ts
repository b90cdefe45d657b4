import { arrange, element, setText } from "../../proxy/page/dom.ts";
import { formatCount } from "../../proxy/page/format.ts";
import { LOOKS } from "../../proxy/page/rows.ts";
import type { FleetRefusal } from "../src/dashboard/fleet.ts";
import { cell, formatPlace, head, lastSeen, row } from "./cells.ts";
import type { RowView } from "./keyed-rows.ts";

/** A destination that is refused somewhere: why, and to whom. */
export class RefusalRow implements RowView<FleetRefusal> {
  readonly elements: readonly HTMLElement[];
  readonly #mark = element("span", { class: "mark", "aria-hidden": "true" });
  readonly #place = element("span", { class: "place" });
  readonly #why = cell("why", "Why");
  readonly #who = element("span", { class: "who-list" });
  readonly #more = element("span", { class: "quiet" });
  readonly #count = cell("number", "Count");
  readonly #last = cell("number", "Last");
  readonly #show: (id: string) => void;
  readonly #nowMs: () => number;
  readonly #links = new Map<string, HTMLElement>();

  constructor(show: (id: string) => void, nowMs: () => number) {
    this.#show = show;
    this.#nowMs = nowMs;
    const who = cell("whose", "Who");
    who.append(this.#who);
    this.elements = [row(head(this.#mark, this.#place), this.#why, who, this.#count, this.#last)];
  }

  update(refusal: FleetRefusal): void {
    const { outcome, why, nearest, workloads, moreWorkloads, count, last } = refusal;
    for (const each of this.elements) each.className = outcome;
    setText(this.#mark, LOOKS[outcome].mark);
    setText(this.#place, formatPlace(refusal));
    const audit = outcome === "would_be_refused" ? "would be refused: " : "";
    setText(this.#why, `${audit}${why}${nearest === undefined ? "" : ` (nearest: ${nearest})`}`);
    const links = workloads.map((id) => this.#link(id));
    setText(this.#more, moreWorkloads > 0 ? `and ${moreWorkloads} more` : "");
    arrange(this.#who, [...links, this.#more]);
    setText(this.#count, formatCount(count));
    setText(this.#last, lastSeen(last, this.#nowMs()));
  }

  #link(id: string): HTMLElement {
    const known = this.#links.get(id);
    if (known) return known;
    const made = element("button", { type: "button", class: "link" }, id);
    made.addEventListener("click", () => this.#show(id));
    this.#links.set(id, made);
    return made;
  }
}
