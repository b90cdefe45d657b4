import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";

export interface Figure {
  readonly metric: string;
  readonly contender: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
}

export function figure(
  metric: string,
  contender: string,
  unit: string,
  samples: readonly number[],
): Figure {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median =
    sorted.length % 2 === 1
      ? (sorted[middle] ?? Number.NaN)
      : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
  const [min = Number.NaN, max = Number.NaN] = [sorted[0], sorted.at(-1)];
  return { metric, contender, unit, median, min, max, runs: samples.length };
}

/** Resident, and private (not shared with another process, so what one more sidecar costs a node), in MB. */
export function memoryOf(pid: number): { readonly rss: number; readonly private: number } {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const kb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(rollup)?.[1]);
  return {
    rss: kb("Rss") / 1_024,
    private: (kb("Private_Clean") + kb("Private_Dirty")) / 1_024,
  };
}

/** Resolves when the process has written something that matches; rejects when it ends before, or takes too long. */
export function said(child: ChildProcess, pattern: RegExp, withinMs = 10_000): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let text = "";
  const late = () =>
    reject(new Error(`it has not said ${pattern} within ${withinMs} ms, but: ${text}`));
  const timer = setTimeout(late, withinMs);
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk) => {
      text += chunk;
      if (pattern.test(text)) resolve();
    });
  // "close" comes after the last of what was said, "exit" may come before it.
  child.once("close", (status) => reject(new Error(`it ended with ${status}: ${text}`)));
  return promise.finally(() => clearTimeout(timer));
}
