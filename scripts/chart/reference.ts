import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { CHART } from "./helm.ts";
import { valuesTable } from "./values-table.ts";

const PAGE = resolve(import.meta.dirname, "../../docs/reference/chart.md");
const [BEGIN, END] = ["<!-- values: generated from values.yaml -->\n", "<!-- end of values -->\n"];

/** docs/reference/chart.md with its table as values.yaml has it now. */
export function chartReference(): string {
  const page = readFileSync(PAGE, "utf8");
  const [before, , after] = page.split(new RegExp(`(?<=${BEGIN})([\\s\\S]*)(?=${END})`));
  if (before === undefined || after === undefined)
    throw new Error(
      `${PAGE}: the table of values stands between ${BEGIN.trim()} and ${END.trim()}`,
    );
  const table = valuesTable(readFileSync(join(CHART, "values.yaml"), "utf8"));
  return `${before}\n${table}\n\n${after}`;
}
