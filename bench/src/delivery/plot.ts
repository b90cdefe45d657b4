import type { Figure } from "../measure.ts";

/** What is drawn, each against the number of sidecars. */
const PANELS: readonly { readonly title: string; readonly metrics: readonly string[] }[] = [
  {
    title: "memory (RSS), MB: connected, and after all have come again three times",
    metrics: ["memory (RSS)", "memory after that (RSS)"],
  },
  { title: "CPU of a change for all, ms", metrics: ["a change: CPU"] },
  { title: "a change: 99 % have acknowledged it, ms", metrics: ["a change: acknowledged, p99"] },
];
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP] = [640, 170, 50, 20, 26];

/** Lines through medians, and from minimum to maximum at each: SVG. */
export function plotAgainstSidecars(figures: readonly Figure[]): string {
  const counts = [...new Set(figures.map(countOf))].filter((count) => count > 0);
  const most = Math.max(...counts);
  const x = (count: number) => LEFT + (count / most) * (WIDTH - LEFT - RIGHT);
  const panels = PANELS.map(({ title, metrics }, i) => {
    const drawn = metrics.map((metric) =>
      figures.filter((figure) => figure.metric === metric && countOf(figure) > 0),
    );
    const highest = Math.max(...drawn.flat().map(({ max }) => max)) || 1;
    const bottom = (i + 1) * (HEIGHT + TOP);
    const y = (value: number) => bottom - (value / highest) * (HEIGHT - TOP);
    const marks = drawn.flatMap((line, which) => [
      `<path class="line${which}" d="M${line.map((f) => `${x(countOf(f)).toFixed(1)} ${y(f.median).toFixed(1)}`).join("L")}"/>`,
      ...line.map((f) => {
        const at = x(countOf(f)).toFixed(1);
        return `<path class="spread" d="M${at} ${y(f.min).toFixed(1)}V${y(f.max).toFixed(1)}"/><text x="${at}" y="${(y(f.median) + (which === 0 && drawn.length > 1 ? 14 : -5)).toFixed(1)}" class="value">${f.median.toFixed(0)}</text>`;
      }),
    ]);
    const ticks = counts.map(
      (count) => `<text x="${x(count).toFixed(1)}" y="${bottom + 13}" class="tick">${count}</text>`,
    );
    return [
      `<text x="10" y="${bottom - HEIGHT + 8}" class="title">${title}</text>`,
      `<path class="axis" d="M${LEFT} ${bottom - HEIGHT + TOP}V${bottom}H${WIDTH - RIGHT}"/>`,
      ...marks,
      ...ticks,
    ].join("\n");
  });
  const height = PANELS.length * (HEIGHT + TOP) + TOP;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="11">
<title>One controller against the number of sidecars: medians, and from minimum to maximum</title>
<style>text{fill:#222}.title{font-weight:bold}.tick,.value{text-anchor:middle}.axis{stroke:#888;fill:none}.line0{stroke:#0b7a75;fill:none}.line1{stroke:#b0562b;fill:none}.spread{stroke:#222;fill:none}</style>
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
${panels.join("\n")}
</svg>
`;
}

function countOf({ contender }: Figure): number {
  return Number(/^(\d+) sidecars$/.exec(contender)?.[1] ?? 0);
}
