import { arrange, element, setText } from "../../proxy/page/dom.ts";
import { formatCount } from "../../proxy/page/format.ts";
import { LOOKS } from "../../proxy/page/rows.ts";
import type { DestinationRow, PodRow, WorkloadDetails } from "../src/dashboard/fleet.ts";
import { cell, formatPlace, head, lastSeen, row, SAYS } from "./cells.ts";
import { KeyedRows, type RowView } from "./keyed-rows.ts";

/** What stands beneath a workload: its troubles, where its pods go, and the pods with a way to their own pages. */
export class WorkloadPanel {
  readonly row: HTMLTableRowElement;
  readonly #troubles = element("ul", { class: "troubles" });
  readonly #empty = element("p", { class: "quiet" }, "asking …");
  readonly #more = element("p", { class: "quiet" });
  readonly #destinations: KeyedRows<DestinationRow>;
  readonly #pods: KeyedRows<PodRow>;
  #nowMs = 0;

  constructor(columns: number) {
    const destinations = table("Destinations", "Outcome", "Why, or the rule", "Count", "Last");
    const pods = table("Pods", "Sidecar", "Policy", "Refused", "Allowed");
    this.#destinations = new KeyedRows(
      destinations.body,
      ({ place, port, protocol, outcome, reason, rule }) =>
        [place, port, protocol, outcome, reason, rule].join("\0"),
      () => new DestinationView(() => this.#nowMs),
    );
    this.#pods = new KeyedRows(
      pods.body,
      ({ name }) => name,
      () => new PodView(),
    );
    this.row = row(
      element(
        "td",
        { role: "cell", colspan: String(columns) },
        ...[this.#troubles, this.#empty, destinations.frame, this.#more, pods.frame],
      ),
    );
    this.row.className = "details";
  }

  say(troubles: readonly string[]): void {
    const said = [...this.#troubles.children].map(({ textContent }) => textContent);
    if (said.join("\0") === troubles.join("\0")) return;
    arrange(
      this.#troubles,
      troubles.map((trouble) => element("li", { class: "trouble" }, trouble)),
    );
  }

  show({ destinations, moreDestinations, podRows }: WorkloadDetails, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#destinations.show(destinations);
    this.#pods.show(podRows);
    setText(this.#empty, destinations.length > 0 ? "" : "Nothing has left these pods yet.");
    setText(this.#more, moreDestinations > 0 ? `and ${moreDestinations} more destinations` : "");
  }
}

class DestinationView implements RowView<DestinationRow> {
  readonly elements: readonly HTMLElement[];
  readonly #mark = element("span", { class: "mark", "aria-hidden": "true" });
  readonly #place = element("span", { class: "place" });
  readonly #outcome = cell("", "Outcome");
  readonly #why = cell("why", "Why");
  readonly #count = cell("number", "Count");
  readonly #last = cell("number", "Last");
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.elements = [
      row(head(this.#mark, this.#place), this.#outcome, this.#why, this.#count, this.#last),
    ];
  }

  update(destination: DestinationRow): void {
    const { outcome, why, rule, nearest, count, last } = destination;
    for (const each of this.elements) each.className = outcome;
    setText(this.#mark, LOOKS[outcome].mark);
    setText(this.#place, formatPlace(destination));
    setText(this.#outcome, SAYS[outcome]);
    setText(
      this.#why,
      outcome === "allowed" ? (rule ?? why) : `${why}${nearest ? ` (nearest: ${nearest})` : ""}`,
    );
    setText(this.#count, formatCount(count));
    setText(this.#last, lastSeen(last, this.#nowMs()));
  }
}

class PodView implements RowView<PodRow> {
  readonly elements: readonly HTMLElement[];
  readonly #name = element("span", { class: "place" });
  readonly #link = element("a", {});
  readonly #state = cell("why", "Sidecar");
  readonly #policy = cell("", "Policy");
  readonly #refused = cell("number", "Refused");
  readonly #allowed = cell("number", "Allowed");

  constructor() {
    this.#link.target = "_blank";
    this.#link.rel = "noopener noreferrer";
    this.elements = [
      row(head(this.#name, this.#link), this.#state, this.#policy, this.#refused, this.#allowed),
    ];
  }

  update({ name, host, silent, stale, mode, policy, counts }: PodRow): void {
    const isLinked = host !== undefined;
    setText(this.#name, isLinked ? "" : name);
    setText(this.#link, isLinked ? name : "");
    if (isLinked) this.#link.href = `http://${host}:${location.port}/`;
    const troubles = [...(silent === undefined ? [] : [silent]), ...stale];
    this.#state.classList.toggle("trouble", troubles.length > 0);
    setText(this.#state, troubles.length > 0 ? troubles.join("; ") : mode ? "answers" : "asking …");
    setText(this.#policy, [mode, policy].filter((each) => each !== undefined).join(" · "));
    setText(this.#refused, formatCount(counts.refused + counts.would_be_refused));
    setText(this.#allowed, formatCount(counts.allowed));
  }
}

function table(...[caption = "", ...columns]: readonly string[]): {
  readonly frame: HTMLElement;
  readonly body: HTMLElement;
} {
  const body = element("tbody");
  const heads = [caption.replace(/s$/, ""), ...columns].map((column, i) =>
    element("th", { scope: "col", ...(i > 2 && { class: "number" }) }, column),
  );
  const made = element("table", {}, element("thead", {}, element("tr", {}, ...heads)), body);
  made.setAttribute("aria-label", caption);
  return {
    frame: element("div", { class: "scroll" }, element("h3", {}, caption), made),
    body,
  };
}
