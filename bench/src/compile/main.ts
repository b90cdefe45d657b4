/** What a controller takes to make the policies of a large cluster, and to make anew what one change touches. See --help. */
import { writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Figure, figure } from "../measure.ts";
import { figureTable } from "../report.ts";
import { Scene, type Size } from "./scene.ts";

const HELP = `bench:compile: time and memory of the policies of many namespaces and rules

  --size N,R,P    namespaces, and of each of them rules and pods; may be given again
                  (1000,1,10 and 50,1000,10 unless told)
  --runs N        (5 unless told); one more comes first and is not counted
  --json FILE     the figures as [{metric, contender, unit, median, min, max, runs}]
`;

const CHANGES = 20;

const { values } = parseArgs({
  options: {
    size: { type: "string", multiple: true, default: ["1000,1,10", "50,1000,10"] },
    runs: { type: "string", default: "5" },
    json: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});

if (values.help) console.log(HELP.trimEnd());
else main(values.size.map(sizeOf), Number(values.runs), values.json);

function sizeOf(text: string): Size {
  const [namespaces = 0, rules = 0, pods = 0, ...rest] = text.split(",").map(Number);
  if (!(namespaces >= 1 && rules >= 1 && pods >= 1) || rest.length > 0)
    throw new Error(`--size ${text}: expected three whole numbers above 0, such as 1000,1,10`);
  return { namespaces, rules, pods };
}

function main(sizes: readonly Size[], runs: number, json: string | undefined): void {
  if (!(runs >= 1)) throw new Error("--runs takes a whole number above 0");
  setFlagsFromString("--expose-gc");
  const gc: () => void = runInNewContext("gc");
  console.log(
    `${cpus()[0]?.model}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB; Linux ${release()}; Node ${process.version}\n`,
  );
  const figures = sizes.flatMap((size) => measured(size, runs, gc));
  console.log(figureTable(figures));
  if (json) writeFileSync(json, `${JSON.stringify(figures, null, 1)}\n`);
}

function measured(size: Size, runs: number, gc: () => void): Figure[] {
  const samples = new Map<string, { readonly unit: string; readonly all: number[] }>();
  const note = (metric: string, unit: string, value: number) => {
    const there = samples.get(metric) ?? { unit, all: [] };
    there.all.push(value);
    samples.set(metric, there);
  };
  const heap = () => {
    for (let i = 0; i < 3; i++) gc();
    return process.memoryUsage().heapUsed / 2 ** 20;
  };
  const once = (run: number) => {
    const before = heap();
    const [scene, readMs] = timed(() => new Scene(size));
    const known = heap();
    const [contents, compileMs] = timed(() => scene.pages());
    const compiled = heap();
    const changeMs = Array.from({ length: CHANGES }, (_, i) => {
      const namespace = (i * 7) % size.namespaces;
      return timed(() => {
        scene.write(namespace, i % size.rules, run * CHANGES + i + 2);
        return scene.pages(namespace);
      })[1];
    });
    const [, clusterMs] = timed(() => {
      scene.moveCluster(run + 1);
      return scene.pages();
    });
    if (run === 0) return;
    note("every object read", "ms", readMs);
    note("every policy compiled", "ms", compileMs);
    note("different policies", "", contents);
    note("one rule changed", "ms", figure("", "", "", changeMs).median);
    note("the cluster changed", "ms", clusterMs);
    note("heap, what is known", "MB", known - before);
    note("heap, with all policies", "MB", compiled - before);
  };
  for (let run = 0; run <= runs; run++) once(run);
  const contender = `${size.namespaces} namespaces × ${size.rules} rules, ${size.pods} pods`;
  return [...samples].map(([metric, { unit, all }]) => figure(metric, contender, unit, all));
}

/** CPU milliseconds, collections included: others at work on the machine count less. */
function timed<T>(work: () => T): [T, number] {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return [result, (user + system) / 1_000];
}
