import type { Figure } from "./measure.ts";

/** Rows in columns, the first row as a heading. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** A row for each figure: median, then minimum to maximum. */
export function figureTable(figures: readonly Figure[]): string {
  return columns([
    ["metric", "contender", "median", "min–max", "runs"],
    ...figures.map(({ metric, contender, unit, median, min, max, runs }) => [
      ...[metric, contender, `${short(median)} ${unit}`],
      ...[`${short(min)}–${short(max)}`, String(runs)],
    ]),
  ]);
}

/** A metric a row, a contender a column: how a reader compares. Markdown. */
export function comparison(figures: readonly Figure[], contenders: readonly string[]): string {
  const metrics = [...new Set(figures.map(({ metric }) => metric))];
  const cell = (metric: string, contender: string) => {
    const found = figures.find((f) => f.metric === metric && f.contender === contender);
    return found ? `${short(found.median)} (${short(found.min)}–${short(found.max)})` : "–";
  };
  const unit = (metric: string) => figures.find((figure) => figure.metric === metric)?.unit ?? "";
  return [
    `| | ${contenders.join(" | ")} |`,
    `|---|${contenders.map(() => "---").join("|")}|`,
    ...metrics.map(
      (metric) =>
        `| ${metric}, ${unit(metric)} | ${contenders.map((one) => cell(metric, one)).join(" | ")} |`,
    ),
  ].join("\n");
}

function short(value: number): string {
  if (Math.abs(value) >= 1_000) return value.toFixed(0);
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

const ROW = 16;
const LEFT = 150;
const WIDTH = 760;

/** Bars: a group a metric, a bar a contender with its median, and a line from minimum to maximum. */
export function plot(figures: readonly Figure[]): string {
  const metrics = [...new Set(figures.map(({ metric }) => metric))];
  let y = 10;
  const parts: string[] = [];
  for (const metric of metrics) {
    const group = figures.filter((figure) => figure.metric === metric);
    const most = Math.max(...group.map(({ max }) => max)) || 1;
    const x = (value: number) => LEFT + (value / most) * (WIDTH - LEFT - 110);
    parts.push(
      `<text x="10" y="${y + 12}" class="metric">${escapeXml(metric)}, ${group[0]?.unit}</text>`,
    );
    y += 20;
    for (const { contender, median, min, max } of group) {
      const middle = y + ROW / 2;
      parts.push(
        `<text x="${LEFT - 8}" y="${y + 12}" class="name">${escapeXml(contender)}</text>`,
        `<rect x="${LEFT}" y="${y + 2}" width="${(x(median) - LEFT).toFixed(1)}" height="${ROW - 4}" class="${contender === "sallyport" ? "ours" : "other"}"/>`,
        `<path d="M${x(min).toFixed(1)} ${middle}H${x(max).toFixed(1)}" class="spread"/>`,
        `<text x="${(x(max) + 6).toFixed(1)}" y="${y + 12}">${short(median)}</text>`,
      );
      y += ROW;
    }
    y += 12;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="sans-serif" font-size="11">
<title>Figures of the benchmark: a bar is a median, the line on it reaches from minimum to maximum</title>
<style>text{fill:#222}.metric{font-weight:bold}.name{text-anchor:end}.ours{fill:#0b7a75}.other{fill:#b8c4c2}.spread{stroke:#222;fill:none}</style>
<rect width="${WIDTH}" height="${y}" fill="#fff"/>
${parts.join("\n")}
</svg>
`;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
