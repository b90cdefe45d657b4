import { REASONS } from "@sallyport/core/reasons";
import type { DecisionRecord } from "@sallyport/core/record";
import type { ExplainedRecord } from "../src/admin/explanation.ts";
import { outcomeOf } from "../src/destination-outcome.ts";
import type { DestinationSummary } from "../src/destination-summary.ts";
import { type Child, element } from "./dom.ts";
import { decisionsOf, explanationOf } from "./feed.ts";
import { formatBytes, formatDuration } from "./format.ts";
import { placeOf } from "./rows.ts";

/** As many records as a person reads. */
const MOST_RECORDS = 20;

/** What is known of a destination beyond its row: asked for when it is opened, and again when something has come of it. */
export class Details {
  readonly row: HTMLTableRowElement;
  readonly #facts = element("dl");
  readonly #explanation = element("div");
  readonly #records = element("div", { class: "records" });
  #seen = "";

  constructor(summary: DestinationSummary, columns: number) {
    const cell = element(
      "td",
      { role: "cell", colspan: String(columns) },
      ...[this.#explanation, this.#facts, this.#records],
    );
    this.row = element("tr", { role: "row", class: "details", id: `details-${summary.id}` }, cell);
    this.update(summary);
  }

  update(summary: DestinationSummary): void {
    const { id, last_time, connections, requests } = summary;
    const seen = `${last_time} ${connections} ${requests}`;
    if (seen === this.#seen) return;
    this.#seen = seen;
    this.#facts.replaceChildren(...facts(summary));
    void fill(this.#records, async () => recordTable(await decisionsOf(id)));
    if (isRefused(summary))
      void fill(this.#explanation, async () => explained(await explanationOf(id)));
  }
}

/** The explanation says the rest. */
function isRefused(summary: DestinationSummary): boolean {
  const outcome = outcomeOf(summary);
  return outcome === "refused" || outcome === "would_be_refused";
}

/** A failure is said where the answer would stand. */
async function fill(place: HTMLElement, make: () => Promise<readonly Child[]>): Promise<void> {
  const children = await make().catch((error: Error): readonly Child[] => [
    element("p", { class: "quiet" }, `This cannot be told: ${error.message}`),
  ]);
  place.replaceChildren(...children.filter((child) => child !== undefined));
}

function facts(each: DestinationSummary): HTMLElement[] {
  const rows: [string, string | undefined][] = [
    ["Reason", isRefused(each) ? each.reason : `${each.reason}: ${REASONS[each.reason]}`],
    ["In enforce mode", each.would_be],
    ["Permitted by", each.matched],
    ["Stands for", each.external_name],
    ["Service that leads outside", each.service],
    ["Address dialled", each.address === placeOf(each) ? undefined : each.address],
    ["Last failure", each.last_error],
    ["First seen", new Date(each.first_time).toLocaleString()],
  ];
  return rows.flatMap(([term, text]) =>
    text === undefined ? [] : [element("dt", {}, term), element("dd", {}, text)],
  );
}

function explained({
  message,
  nearest,
  advice,
  manifest,
  permitted_now,
}: ExplainedRecord): Child[] {
  return [
    element("p", {}, `${message}.`),
    nearest && element("p", {}, `Nearest rule: ${nearest.rule}: ${nearest.why}.`),
    advice === undefined ? undefined : element("p", {}, sentence(advice)),
    permitted_now && element("p", {}, "The policy in force now permits it."),
    ...(manifest === undefined ? [] : pasteable(manifest)),
  ];
}

/** Of a clause. */
function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function pasteable(manifest: string): Child[] {
  const copy = element("button", { type: "button" }, "Copy");
  copy.addEventListener("click", () => {
    void navigator.clipboard.writeText(manifest).then(
      () => copy.replaceChildren("Copied"),
      () => copy.replaceChildren("Select it and copy by hand"),
    );
  });
  return [
    element("p", { class: "manifest-head" }, "This rule would permit it:", copy),
    element("pre", {}, element("code", {}, manifest)),
  ];
}

function recordTable(records: readonly DecisionRecord[]): Child[] {
  if (records.length === 0)
    return [element("p", { class: "quiet" }, "No record of it is kept any more.")];
  const heads = ["Time", "What", "Sent", "Received", "Took", "Ended"];
  return [
    element("h2", {}, "Last records"),
    element(
      "div",
      { class: "scroll" },
      element(
        "table",
        {},
        element(
          "thead",
          {},
          element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head))),
        ),
        element("tbody", {}, ...records.slice(0, MOST_RECORDS).map(recordRow)),
      ),
    ),
  ];
}

function recordRow(record: DecisionRecord): HTMLTableRowElement {
  const { time, method, path, status, bytes_sent, bytes_received, duration_ms } = record;
  const { closed_by, closed_how, error, original_address } = record;
  const request = [method, path, status].filter((part) => part !== undefined && part !== "");
  const cells = [
    new Date(time).toLocaleTimeString(),
    request.length > 0 ? request.join(" ") : original_address,
    ...[bytes_sent, bytes_received].map(formatBytes),
    formatDuration(duration_ms),
    error ?? `${closed_how} by ${closed_by}`,
  ];
  return element("tr", {}, ...cells.map((text) => element("td", {}, text)));
}
