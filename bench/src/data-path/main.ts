/** The data path beside its peers, on one bed. `main.ts --help`; how it is measured is told in bench/README.md. */
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { cpus, homedir, release, totalmem } from "node:os";
import { join } from "node:path";
import { columns, comparison, plot } from "../report.ts";
import { type Bed, CONGESTION_CONTROL, CORES, layBed } from "./bed.ts";
import { type Contender, contenders } from "./contenders.ts";
import { judge } from "./goals.ts";
import { FULL, measures, QUICK } from "./measures.ts";
import { HELP, type Options, parseOptions } from "./options.ts";
import { PATIENCE_MS, quietMachine } from "./quiet.ts";
import { figures } from "./results.ts";
import { measureAll } from "./rounds.ts";
import { type Stage, stage } from "./stage.ts";
import { goals, results } from "./tables.ts";

const options = parseOptions(process.argv.slice(2));
if (options === "help") console.log(HELP.trimEnd());
else if (options instanceof Error) fail(options.message, 2);
else if (process.getuid?.() !== 0)
  fail("the benchmark makes network namespaces: run it as root", 1);
else await bench(options);

async function bench(options: Options): Promise<void> {
  const staged = await stage(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"));
  let bed: Bed | undefined;
  const leave = async () => {
    await bed?.close();
    rmSync(staged.folder, { recursive: true, force: true });
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void leave().then(() => process.exit(1)));
  try {
    const chosen = choose(options, staged);
    console.log(`${machine()}\n\n${legend(chosen)}\n`);
    pin();
    bed = await layBed(staged.server, chosen.length);
    await report(options, chosen, bed, staged);
  } finally {
    await leave();
  }
}

async function report(
  options: Options,
  chosen: readonly Contender[],
  bed: Bed,
  staged: Stage,
): Promise<void> {
  const wanted = measures(options.quick ? QUICK : FULL).filter(({ group }) =>
    options.groups.includes(group),
  );
  const quiet = quietMachine(options.quick ? PATIENCE_MS.quick : PATIENCE_MS.full);
  const progress = (text: string) => process.stderr.write(`${text}\n`);
  const { runs } = options;
  const { outcomes } = await measureAll(chosen, wanted, runs, bed, staged, { progress, quiet });
  const told = `Medians (minimum–maximum) of ${runs} runs; ${quiet.said()}`;
  console.log(`${told}\n`);
  console.log(`${results(wanted, outcomes)}\n`);
  const judged = judge(outcomes);
  if (judged.length > 0) console.log(goals(judged));
  const all = figures(outcomes);
  if (options.json) writeFileSync(options.json, `${JSON.stringify(all, null, 1)}\n`);
  if (options.plot) writeFileSync(options.plot, plot(all));
  if (options.markdown) {
    const names = chosen.map(({ name }) => name);
    const text = [
      `${machine()}. ${told}.`,
      comparison(all, names),
      `\`\`\`\n${goals(judged)}\n\`\`\``,
    ];
    writeFileSync(options.markdown, `${text.join("\n\n")}\n`);
  }
}

/** Those asked for that are here; what is missing is said with the line that gets it. */
function choose({ only }: Options, staged: Stage): readonly Contender[] {
  const asked = contenders(staged).filter(({ name }) => only.includes(name));
  for (const { name, missing } of asked)
    if (missing) console.log(`SKIPPED: ${name}; to have it: ${missing}`);
  return asked.filter(({ missing }) => !missing);
}

function machine(): string {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  const today = new Date().toISOString().slice(0, 10);
  return [
    `${today}: ${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${memory}; Linux ${release()}`,
    `congestion control ${CONGESTION_CONTROL}`,
    `proxies on core ${CORES.proxy}, client and server on core ${CORES.ends}`,
  ].join("; ");
}

function legend(chosen: readonly Contender[]): string {
  return columns(chosen.map(({ name, version, note }) => [name, version?.() ?? "", note]));
}

/** This program, and so the load that it starts, keeps off the proxies' core. */
function pin(): void {
  const pinned = ["-a", "-c", "-p", String(CORES.ends), String(process.pid)];
  execFileSync("taskset", pinned, { stdio: "ignore" });
}

function fail(message: string, status: number): void {
  console.error(message);
  process.exitCode = status;
}
