import type { PodPlace } from "../../fleet/sidecar-page.ts";
import { count } from "../../policy/amount.ts";
import { isLeaky, type Row, VERDICTS, type Verdict } from "./verdict.ts";

export interface BypassReport {
  readonly place: PodPlace;
  /** Whose part the probe played. */
  readonly container: string;
  readonly rows: readonly Row[];
  readonly notes: readonly string[];
}

const MARKS: Readonly<Record<Verdict, string>> = {
  held: "✓",
  open_on_purpose: "○",
  open: "✗",
  unknown: "?",
  untried: "-",
};

export function bypassText({ place, container, rows, notes }: BypassReport): string[] {
  const width = Math.max(...rows.map(({ way }) => way.length));
  const counts = VERDICTS.map((verdict) => {
    const number = rows.filter((row) => row.verdict === verdict).length;
    return `${number} ${verdict.replaceAll("_", " ")}`;
  });
  return [
    `pod ${place.namespace}/${place.name}: ${count(rows.length, "way")} around the sidecar, from inside, as container ${container}`,
    "",
    ...rows.flatMap(({ way, tried, verdict, happened }) => [
      `  ${MARKS[verdict]} ${way.padEnd(width)}  ${tried}`,
      `    ${" ".repeat(width)}  ${happened}`,
    ]),
    ...(notes.length > 0 ? ["", ...notes.map((note) => `note: ${note}`)] : []),
    "",
    counts.join(", "),
  ];
}

export function bypassJson({ place, container, rows, notes }: BypassReport): object {
  return {
    pod: place.name,
    namespace: place.namespace,
    container,
    holds: !isLeaky(rows),
    ways: rows,
    notes,
  };
}
