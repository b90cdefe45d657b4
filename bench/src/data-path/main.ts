/** The data path beside its peers, on one bed. `main.ts --help`; how it is measured is told in bench/README.md. */
import { rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Bed, layBed } from "./bed.ts";
import type { Contender } from "./contender.ts";
import { contenders } from "./contenders.ts";
import { judge } from "./goals.ts";
import { FULL, measures, QUICK } from "./measures.ts";
import { CONTENDERS } from "./names.ts";
import { DATA_PATH, help, type Options, parseOptions } from "./options.ts";
import { choose, legend, machine, pin, report } from "./program.ts";
import { PATIENCE_MS, quietMachine } from "./quiet.ts";
import { measureAll } from "./rounds.ts";
import { type Stage, stage } from "./stage.ts";

const TITLE = "bench: the data path of the sidecar beside its peers, on one bed";
const HELP = help(TITLE, "eight", DATA_PATH);

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
    const chosen = choose(contenders(staged), options);
    console.log(`${machine()}\n\n${legend(chosen)}\n`);
    pin();
    bed = await layBed(staged.server, chosen.length);
    await measure(options, chosen, bed, staged);
  } finally {
    await leave();
  }
}

async function measure(
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
  const how = `Medians (minimum–maximum) of ${runs} runs; ${quiet.said()}`;
  report(options, how, wanted, outcomes, judge(outcomes), CONTENDERS);
}

function fail(message: string, status: number): void {
  console.error(message);
  process.exitCode = status;
}
