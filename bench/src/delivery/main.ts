/** Many sidecars' streams on one controller: what each costs, how soon a change is everywhere, and all of them at once. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createSecureContext } from "node:tls";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { type Figure, figure } from "../measure.ts";
import { figureTable } from "../report.ts";
import type { Asked, Figures, Said } from "./messages.ts";
import { plotAgainstSidecars } from "./plot.ts";
import { SimulatedSidecar } from "./sidecar.ts";

const HELP = `bench:delivery: simulated sidecars, in one process, on one controller, in another

  --sidecars N    at most (2000 unless told); also an eighth, a quarter and a half of them
  --changes N     changes for all (20 unless told)
  --idle SECONDS  how long idle is looked at (30 unless told)
  --heap MB       the controller's --max-old-space-size (192 unless told)
  --json FILE     the figures as [{metric, contender, unit, median, min, max, runs}]
  --plot FILE     memory, CPU and p99 against the number of sidecars, as SVG

The knowledge is written in the controller's process, 6 KB a snapshot; a TokenReview takes 4 ms.
`;

const { values } = parseArgs({
  options: {
    sidecars: { type: "string", default: "2000" },
    changes: { type: "string", default: "20" },
    idle: { type: "string", default: "30" },
    heap: { type: "string", default: "192" },
    json: { type: "string" },
    plot: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});

if (values.help) console.log(HELP.trimEnd());
else await main();

async function main(): Promise<void> {
  const [most, changes, idleSeconds] = [values.sidecars, values.changes, values.idle].map(Number);
  if (!most || !changes || !idleSeconds) throw new Error("expected numbers; --help lists them");
  const folder = mkdtempSync(join(tmpdir(), "sallyport-delivery-"));
  const program = join(folder, "controller.mjs");
  // As the image has it: from the sources it would be 80 MB more.
  await build({
    ...{ entryPoints: [join(import.meta.dirname, "controller.ts")], outfile: program },
    ...{ bundle: true, minify: true, platform: "node", format: "esm", target: "node24" },
    banner: {
      js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);',
    },
    logLevel: "error",
  });
  const child = fork(program, {
    // As the chart has it.
    env: { ...process.env, MALLOC_ARENA_MAX: "1", NODE_OPTIONS: "--max-semi-space-size=2" },
    execArgv: [`--max-old-space-size=${values.heap}`, "--expose-gc"],
  });
  try {
    const figures = await measure(child, most, changes, idleSeconds);
    console.log(figureTable(figures));
    if (values.json) writeFileSync(values.json, JSON.stringify(figures, undefined, 2));
    if (values.plot) writeFileSync(values.plot, plotAgainstSidecars(figures));
  } finally {
    child.kill();
    rmSync(folder, { recursive: true });
  }
  process.exit();
}

async function measure(child: ChildProcess, most: number, changes: number, idleSeconds: number) {
  const said = await next(child);
  if (said.say !== "listening") throw new Error("the controller did not say where it listens");
  const context = createSecureContext({ ca: said.ca });
  const all: Figure[] = [];
  const sidecars: SimulatedSidecar[] = [];
  const empty = await settled(child);
  all.push(figure("memory without a stream (RSS)", "controller", "MB", [empty.rss / 2 ** 20]));
  for (const count of [most / 8, most / 4, most / 2, most].map(Math.floor)) {
    const name = `${count} sidecars`;
    while (sidecars.length < count) {
      const sidecar = new SimulatedSidecar(sidecars.length, said.port, context);
      sidecars.push(sidecar);
      sidecar.open();
      await delay(2);
    }
    await applied(child, count);
    const held = await settled(child);
    all.push(figure("memory (RSS)", name, "MB", [held.rss / 2 ** 20]));
    all.push(
      figure("memory of each stream (RSS)", name, "KB", [(held.rss - empty.rss) / count / 1_024]),
    );
    await delay(idleSeconds * 1_000);
    const idle = await ask(child);
    const idlePart = (idle.cpuMs - held.cpuMs) / idleSeconds / 1_000;
    all.push(figure("idle: of one CPU", name, "%", [idlePart * 100]));

    const rounds: Figures[] = [];
    const cpu: number[] = [];
    for (let i = 0; i < changes; i++) {
      const before = await ask(child);
      tell(child, "change");
      const after = await applied(child, count);
      rounds.push(after);
      cpu.push(after.cpuMs - before.cpuMs);
    }
    const quantile = (part: number) =>
      rounds.map(({ latencies }) => {
        const sorted = [...latencies].sort((a, b) => a - b);
        return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
      });
    all.push(figure("a change: acknowledged, p50", name, "ms", quantile(0.5)));
    all.push(figure("a change: acknowledged, p99", name, "ms", quantile(0.99)));
    all.push(figure("a change: the last acknowledgement", name, "ms", quantile(1)));
    all.push(figure("a change: CPU", name, "ms", cpu));
    const peak = await ask(child);
    all.push(figure("memory after the changes (RSS)", name, "MB", [peak.rss / 2 ** 20]));

    const storms: Figures[] = [];
    const times: number[] = [];
    const work: number[] = [];
    for (let i = 0; i < 3; i++) {
      const before = await ask(child);
      const began = performance.now();
      for (const sidecar of sidecars) sidecar.cut();
      // The controller is to hear of the ends before it is asked for how many there are.
      while ((await ask(child)).streams > count / 2) await delay(20);
      const after = await applied(child, count);
      times.push(performance.now() - began);
      work.push(after.cpuMs - before.cpuMs);
      storms.push(after);
    }
    all.push(figure("all of them again: until all are back", name, "ms", times));
    all.push(figure("all of them again: CPU", name, "ms", work));
    const last = await ask(child);
    all.push(figure("memory after that (RSS)", name, "MB", [last.rss / 2 ** 20]));
    process.stderr.write(`${name}: done, ${last.refused} connections refused so far\n`);
  }
  for (const sidecar of sidecars) sidecar.close();
  return all;
}

async function settled(child: ChildProcess): Promise<Figures> {
  await delay(2_000);
  tell(child, "collect");
  await delay(1_000);
  return ask(child);
}

/** Once so many have applied the newest. */
async function applied(child: ChildProcess, count: number): Promise<Figures> {
  for (const end = performance.now() + 120_000; ; ) {
    const found = await ask(child);
    if (found.applied === count) return found;
    if (performance.now() > end)
      throw new Error(`${found.applied} of ${count} have applied it after two minutes`);
    await delay(100);
  }
}

async function ask(child: ChildProcess): Promise<Figures> {
  tell(child, "figures");
  const said = await next(child);
  if (said.say !== "figures") throw new Error("expected figures");
  return said;
}

function tell(child: ChildProcess, what: Asked["ask"]): void {
  child.send({ ask: what } satisfies Asked);
}

async function next(child: ChildProcess): Promise<Said> {
  const [said] = await once(child, "message");
  return said;
}
