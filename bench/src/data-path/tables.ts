import { columns } from "../report.ts";
import type { Judged } from "./goals.ts";
import type { Measure } from "./measures.ts";
import type { Outcome, Outcomes } from "./results.ts";

/** Three figures that count, or the whole number. */
export function number(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString("en");
  return value.toFixed(value >= 10 ? 1 : 2);
}

/** A contender a row: median (minimum–maximum), what failed and why below. */
export function results(
  measures: readonly Measure[],
  outcomes: Outcomes,
  inOrder: readonly string[],
): string {
  return measures.map(({ metrics }) => ofMetrics(metrics, outcomes, inOrder)).join("\n\n");
}

function ofMetrics(
  metrics: Measure["metrics"],
  outcomes: Outcomes,
  inOrder: readonly string[],
): string {
  const contenders = inOrder.filter((contender) =>
    metrics.some(({ name }) => outcomes.get(name)?.has(contender)),
  );
  const rows = contenders.map((contender) => [
    contender,
    ...metrics.map(({ name }) => cell(outcomes.get(name)?.get(contender))),
  ]);
  const failures = contenders.flatMap((contender) => {
    const outcome = outcomes.get(metrics[0]?.name ?? "")?.get(contender);
    return outcome && "failed" in outcome ? [`${contender} failed: ${outcome.failed}`] : [];
  });
  const heading = ["", ...metrics.map(({ name, unit }) => `${name} [${unit}]`)];
  return [columns([heading, ...rows]), ...failures].join("\n");
}

function cell(outcome: Outcome | undefined): string {
  if (!outcome) return "–";
  if ("failed" in outcome) return "failed";
  const { median, min, max, runs } = outcome;
  return runs === 1 ? number(median) : `${number(median)} (${number(min)}–${number(max)})`;
}

export function goals(judged: readonly Judged[]): string {
  const rows = judged.map(({ goal, where, unit, ours, other, ratio, met }) => [
    goal,
    met ? "met" : "MISSED",
    ratio === undefined ? "" : `${ratio.toFixed(2)} ×`,
    `${number(ours)} and ${number(other)} ${unit}`,
    where,
  ]);
  return columns([["goal", "", "ratio", "ours and the other", "where (the worst)"], ...rows]);
}
