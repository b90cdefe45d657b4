/** What every benchmark on this bed begins and ends with. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { columns, comparison, plot } from "../report.ts";
import { CONGESTION_CONTROL, CORES } from "./bed.ts";
import type { Contender } from "./contender.ts";
import type { Judged } from "./goals.ts";
import type { Measure } from "./measures.ts";
import type { Options } from "./options.ts";
import { figures, type Outcomes } from "./results.ts";
import { goals, results } from "./tables.ts";

/** Those asked for that are here; what is missing is said with the line that gets it. */
export function choose(
  contenders: readonly Contender[],
  { only }: Pick<Options, "only">,
): readonly Contender[] {
  const asked = contenders.filter(({ name }) => only.includes(name));
  for (const { name, missing } of asked)
    if (missing) console.log(`SKIPPED: ${name}; to have it: ${missing}`);
  return asked.filter(({ missing }) => !missing);
}

export function machine(): string {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  const today = new Date().toISOString().slice(0, 10);
  return [
    `${today}: ${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${memory}; Linux ${release()}`,
    `congestion control ${CONGESTION_CONTROL}`,
    `proxies on core ${CORES.proxy}, client and server on core ${CORES.ends}`,
  ].join("; ");
}

export function legend(chosen: readonly Contender[]): string {
  return columns(chosen.map(({ name, version, note }) => [name, version?.() ?? "", note]));
}

/** This program, and so the load that it starts, keeps off the proxies' core. */
export function pin(): void {
  const pinned = ["-a", "-c", "-p", String(CORES.ends), String(process.pid)];
  execFileSync("taskset", pinned, { stdio: "ignore" });
}

/** Prints all of it, and writes the files that were asked for. */
export function report(
  { json, plot: plotFile, markdown }: Options,
  how: string,
  measured: readonly Measure[],
  outcomes: Outcomes,
  judged: readonly Judged[],
  inOrder: readonly string[],
): void {
  console.log(`${how}\n\n${results(measured, outcomes, inOrder)}\n`);
  if (judged.length > 0) console.log(goals(judged));
  const all = figures(outcomes);
  if (json) writeFileSync(json, `${JSON.stringify(all, null, 1)}\n`);
  if (plotFile) writeFileSync(plotFile, plot(all));
  if (!markdown) return;
  const names = inOrder.filter((name) => all.some(({ contender }) => contender === name));
  const parts = [
    `${machine()}. ${how}.`,
    comparison(all, names),
    `\`\`\`\n${goals(judged)}\n\`\`\``,
  ];
  writeFileSync(markdown, `${parts.join("\n\n")}\n`);
}
