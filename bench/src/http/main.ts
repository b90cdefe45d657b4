/** HTTP, plain and originated TLS, beside its peers. `main.ts --help`; how it is measured is told in bench/README.md. */
import { rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { help, type Options, parseOptions } from "../data-path/options.ts";
import { choose, legend, machine, pin, report } from "../data-path/program.ts";
import { PATIENCE_MS, type Quiet, quietMachine } from "../data-path/quiet.ts";
import type { Outcomes } from "../data-path/results.ts";
import { stage } from "../data-path/stage.ts";
import { contenders } from "./contenders.ts";
import { judge } from "./goals.ts";
import { FULL, plainMeasures, QUICK, tlsMeasures } from "./measures.ts";
import { KNOWN } from "./names.ts";
import { measureScene, type Scene } from "./scene.ts";
import { type HttpStage, httpStage } from "./stage.ts";
import { makeCertificates } from "./tls-origin.ts";

const HELP = help(
  "bench:http: requests through the sidecar and its peers, on one bed",
  "15",
  KNOWN,
);

const options = parseOptions(process.argv.slice(2), KNOWN);
if (options === "help") console.log(HELP.trimEnd());
else if (options instanceof Error) fail(options.message, 2);
else if (process.getuid?.() !== 0)
  fail("the benchmark makes network namespaces: run it as root", 1);
else await bench(options);

async function bench(options: Options): Promise<void> {
  const staged = await stage(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"));
  const leave = () => rmSync(staged.folder, { recursive: true, force: true });
  // The namespaces and all that runs in them end with this program.
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      leave();
      process.exit(1);
    });
  try {
    await measure(options, await httpStage(staged));
  } finally {
    leave();
  }
}

async function measure(options: Options, staged: HttpStage): Promise<void> {
  const scale = options.quick ? QUICK : FULL;
  const certificates = makeCertificates(staged.folder);
  const scenes: readonly Scene[] = [
    { upstream: "plain", contenders: contenders(staged), measures: plainMeasures(scale) },
    {
      upstream: "tls",
      contenders: contenders(staged, certificates.ca),
      measures: tlsMeasures(scale),
      certificates,
    },
  ];
  const asked = scenes
    .map((scene) => ({
      ...scene,
      measures: scene.measures.filter(({ group }) => options.groups.includes(group)),
    }))
    .filter(({ measures }) => measures.length > 0);
  console.log(machine());
  const quiet = quietMachine(options.quick ? PATIENCE_MS.quick : PATIENCE_MS.full);
  pin();
  const outcomes = await measureScenes(asked, options, staged, quiet);
  const how = `Medians (minimum–maximum) of ${options.runs} runs; ${quiet.said()}`;
  const measured = asked.flatMap(({ measures }) => measures);
  report(options, how, measured, outcomes, judge(outcomes), KNOWN.contenders);
}

/** One after the other: each has a bed of its own. */
async function measureScenes(
  scenes: readonly Scene[],
  options: Options,
  staged: HttpStage,
  quiet: Quiet,
): Promise<Outcomes> {
  const all = [];
  for (const scene of scenes) {
    const chosen = choose(scene.contenders, options);
    console.log(`\n${legend(chosen)}\n`);
    all.push(
      ...(await measureScene({ ...scene, contenders: chosen }, options.runs, staged, quiet)),
    );
  }
  return new Map(all);
}

function fail(message: string, status: number): void {
  console.error(message);
  process.exitCode = status;
}
