/** Of a sample, in milliseconds. */
export interface Latencies {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export function latenciesOf(ms: readonly number[]): Latencies {
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
  return { count: sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

export function tableOf(rows: Readonly<Record<string, Latencies>>): string {
  const lines = Object.entries(rows).map(([what, { count, ...parts }]) => {
    const figures = Object.values(parts).map((ms) => (ms < 10 ? ms.toFixed(1) : ms.toFixed(0)));
    return `| ${[what, count, ...figures].join(" | ")} |`;
  });
  return ["| ms | n | p50 | p90 | p99 | max |", "|---|---|---|---|---|---|", ...lines].join("\n");
}
