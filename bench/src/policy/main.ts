/** What a decision costs under ten thousand hosts and ten thousand CIDRs, beside a naive scan of them. See --help. */
import { writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { evaluate } from "@sallyport/core/evaluate";
import { Policy } from "@sallyport/core/policy";
import { type Figure, figure } from "../measure.ts";
import { figureTable } from "../report.ts";
import { naivePolicy } from "./naive.ts";
import { ATTEMPTS, snapshotOfMany } from "./workload.ts";

const HELP = `bench:policy: CPU time of a decision and memory of a policy of many hosts and CIDRs, beside a naive scan

  --size N        hosts, and as many CIDRs (10000 unless told)
  --runs N        (9 unless told); one more comes first and is not counted
  --json FILE     the figures as [{metric, contender, unit, median, min, max, runs}]
`;

const DECISIONS = 200_000;
const SCANS = 500;

const { values } = parseArgs({
  options: {
    size: { type: "string", default: "10000" },
    runs: { type: "string", default: "9" },
    json: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});

if (values.help) console.log(HELP.trimEnd());
else main(Number(values.size), Number(values.runs), values.json);

function main(size: number, runs: number, json: string | undefined): void {
  if (!(size >= 1 && runs >= 1)) throw new Error("--size and --runs take whole numbers above 0");
  // What a context made after the flag is set has, and the first one lacks.
  setFlagsFromString("--expose-gc");
  const gc: () => void = runInNewContext("gc");
  console.log(
    `${cpus()[0]?.model}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB; Linux ${release()}; Node ${process.version}; ${size} hosts and ${size} CIDRs\n`,
  );
  const snapshot = snapshotOfMany(size);
  const text = JSON.stringify(snapshot);
  const read = () => new Policy(JSON.parse(text));
  const policy = read();
  const naive = naivePolicy(snapshot);
  const figures: Figure[] = [
    figure("ready from JSON", "sallyport", "ms", times(runs, read)),
    figure("memory, snapshot and index", "sallyport", "MB", memory(runs, gc, read)),
  ];
  for (const [what, attempt, verdict] of ATTEMPTS(size)) {
    for (const decide of [() => evaluate(policy, attempt).verdict, () => naive(attempt)])
      if (decide() !== verdict) throw new Error(`${what}: expected ${verdict}, not ${decide()}`);
    figures.push(
      figure(
        what,
        "sallyport",
        "µs",
        perCall(runs, DECISIONS, () => evaluate(policy, attempt)),
      ),
      figure(
        what,
        "naive scan",
        "µs",
        perCall(runs, SCANS, () => naive(attempt)),
      ),
    );
  }
  console.log(figureTable(figures));
  if (json) writeFileSync(json, `${JSON.stringify(figures, null, 1)}\n`);
}

/** CPU milliseconds of each run, collections included: others at work on the machine count less. The first warms up. */
function times(runs: number, work: () => unknown): number[] {
  return Array.from({ length: runs + 1 }, () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  }).slice(1);
}

function perCall(runs: number, calls: number, work: () => unknown): number[] {
  const all = times(runs, () => {
    for (let i = 0; i < calls; i++) work();
  });
  return all.map((ms) => (ms * 1_000) / calls);
}

/** What stays on the heap, in MB. */
function memory(runs: number, gc: () => void, make: () => unknown): number[] {
  const kept: unknown[] = [];
  return Array.from({ length: runs + 1 }, () => {
    gc();
    const before = process.memoryUsage().heapUsed;
    kept.push(make());
    gc();
    const after = process.memoryUsage().heapUsed;
    kept.length = 0;
    return (after - before) / 2 ** 20;
  }).slice(1);
}
