/** Many sidecars on one machine, each under a user of its own: what each costs, and what the others' load costs one. */
import { readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Bed, DESTINATIONS, layBed, PORT } from "../data-path/bed.ts";
import { ruleFor, sidecarContender } from "../data-path/contenders.ts";
import { loadProgram } from "../data-path/load.ts";
import { type Running, start } from "../data-path/running.ts";
import { folderFor, stage } from "../data-path/stage.ts";
import { type Figure, figure } from "../measure.ts";
import { figureTable } from "../report.ts";

const HELP = `bench:fleet: many sidecars on one machine, each under its own uid

  --sidecars N    how many (50 unless told, 200 at most)
  --idle N        idle connections that each holds (100 unless told)
  --stalled N     downloads that each holds for a reader that does not read (2 unless told)
  --runs N        of the bulk throughput (7 unless told)
  --json FILE     the figures as [{metric, contender, unit, median, min, max, runs}]
`;

const FIRST_PORT = 20_000;
const FIRST_UID = 32_000;

const { values } = parseArgs({
  options: {
    sidecars: { type: "string", default: "50" },
    idle: { type: "string", default: "100" },
    stalled: { type: "string", default: "2" },
    runs: { type: "string", default: "7" },
    json: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});

if (values.help) console.log(HELP.trimEnd());
else if (process.getuid?.() !== 0) throw new Error("it makes network namespaces: run it as root");
else await main();

async function main(): Promise<void> {
  const count = whole("--sidecars", values.sidecars, 1, 200);
  const held = {
    idle: whole("--idle", values.idle, 0, 8_000),
    stalled: whole("--stalled", values.stalled, 0, 1_000),
  };
  const runs = whole("--runs", values.runs, 1, 100);
  const staged = await stage(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"));
  let bed: Bed | undefined;
  try {
    bed = await layBed(staged.server, count);
    const rule = ruleFor({ cidrs: [DESTINATIONS], ports: [{ port: PORT, protocol: "tcp" }] });
    const { command } = sidecarContender("sidecar", "", rule, staged);
    const load = loadProgram(staged.load, bed);
    const fleet: Running[] = [];
    for (let i = 0; i < count; i++) {
      const place = {
        port: FIRST_PORT + i,
        destination: bed.destination(i),
        folder: folderFor(`${i}`, staged),
      };
      await bed.redirect(place.destination, place.port);
      if (command) fleet.push(await start(command(place), place.port, FIRST_UID + i, bed));
      process.stderr.write(`\rsidecars: ${i + 1} of ${count}`);
    }
    process.stderr.write("\n");
    const bulk = async () => {
      const { count: bytes, seconds } = await load.run({
        ...{ mode: "down", destination: bed?.destination(0) ?? "", connections: 1 },
        ...{ warmMs: 250, measuredMs: 1_000, pids: [] },
      });
      return (bytes * 8) / seconds / 1e9;
    };
    const measured = [
      ...memoryOf(fleet, "idle"),
      await repeated("bulk, the others idle", runs, bulk),
    ];
    for (let i = 1; i < count; i++) {
      await load.crowd(bed.destination(i)).hold(held.idle);
      await load.crowd(bed.destination(i), "stall").hold(held.stalled);
      process.stderr.write(`\rcrowds: ${i} of ${count - 1}`);
    }
    process.stderr.write("\n");
    measured.push(
      ...memoryOf(fleet.slice(1), "loaded"),
      figure("pipes", "loaded", "", fleet.slice(1).map(pipesOf)),
      await repeated("bulk, the others hold theirs", runs, bulk),
    );
    console.log(
      `${count} sidecars; loaded: ${held.idle} idle and ${held.stalled} stalled connections each\n`,
    );
    console.log(figureTable(measured));
    if (values.json) writeFileSync(values.json, `${JSON.stringify(measured, null, 1)}\n`);
  } finally {
    await bed?.close();
    rmSync(staged.folder, { recursive: true, force: true });
  }
}

/** A sample a sidecar. */
function memoryOf(fleet: readonly Running[], contender: string): Figure[] {
  const all = fleet.map((each) => each.memory());
  return [
    figure(
      "RSS",
      contender,
      "MB",
      all.map(({ rss }) => rss),
    ),
    figure(
      "private memory",
      contender,
      "MB",
      all.map((each) => each.private),
    ),
  ];
}

async function repeated(metric: string, runs: number, run: () => Promise<number>): Promise<Figure> {
  const samples: number[] = [];
  for (let i = 0; i < runs; i++) samples.push(await run());
  return figure(metric, "one", "Gbit/s", samples);
}

/** Open ones; a pipe has two descriptors. */
function pipesOf(running: Running): number {
  const names = running
    .pids()
    .flatMap((pid) => readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`)));
  return new Set(names.filter((name) => name.startsWith("pipe:"))).size;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ""; // closed meanwhile
  }
}

function whole(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most)
    throw new Error(`${option} takes a whole number from ${least} to ${most}, not "${text}"`);
  return value;
}
