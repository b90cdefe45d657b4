import type { Bed } from "./bed.ts";
import type { Contender } from "./contender.ts";
import { loadProgram } from "./load.ts";
import type { Measure, Subject } from "./measures.ts";
import type { Quiet } from "./quiet.ts";
import { Results } from "./results.ts";
import { type Running, start } from "./running.ts";
import { folderFor, type Stage } from "./stage.ts";

const FIRST_PORT = 15_100;
const FIRST_UID = 31_000;

export interface Surroundings {
  readonly progress: (text: string) => void;
  readonly quiet: Quiet;
}

/**
 * Every measure, so many times, of every contender: in each round the next one begins, so that what the machine does
 * meanwhile falls on all alike. First what is measured of one alone; then all run, and are measured in turn.
 */
export async function measureAll(
  contenders: readonly Contender[],
  measures: readonly Measure[],
  runs: number,
  bed: Bed,
  stage: Stage,
  { progress, quiet }: Surroundings,
): Promise<Results> {
  const results = new Results();
  const turn = async (measure: Measure, subject: Named) => {
    if (results.hasFailed(measure, subject.name)) return;
    await quiet.wait();
    const outcome = await measure.measure(subject).catch((error: Error) => error);
    results.add(measure, subject.name, outcome);
  };
  const rounds = async (measure: Measure, of: readonly Named[]) => {
    for (let round = 0; round < runs; round++) {
      progress(`${measure.metrics[0]?.name}: run ${round + 1} of ${runs}`);
      for (const subject of rotated(of, round)) await turn(measure, subject);
    }
  };
  const subjects = await Promise.all(
    contenders.map((contender, index) => subjectOf(contender, index, bed, stage)),
  );
  const alone = measures.filter(({ fresh }) => fresh);
  const together = measures.filter(({ fresh }) => !fresh);
  const commanded = subjects.filter(({ command }) => command);
  for (const measure of alone) await rounds(measure, commanded);
  if (together.length === 0) return results;

  const carriers: Named[] = [];
  for (const subject of subjects.filter(({ carriesNothing }) => !carriesNothing)) {
    const running = await startOf(subject);
    if (running instanceof Error)
      for (const measure of together) results.add(measure, subject.name, running);
    else carriers.push({ ...subject, running });
  }
  for (const measure of together) await rounds(measure, carriers);
  for (const { running } of carriers) await running?.stop();
  return results;
}

interface Named extends Subject {
  readonly name: string;
  readonly command: boolean;
}

async function subjectOf(
  { name, command, carriesNothing = false, asksJavaScript = false }: Contender,
  index: number,
  bed: Bed,
  stage: Stage,
): Promise<Named> {
  const port = FIRST_PORT + index;
  const destination = bed.destination(index);
  if (command && !carriesNothing) await bed.redirect(destination, port);
  return {
    ...{ name, destination, carriesNothing, asksJavaScript, command: command !== undefined },
    load: loadProgram(stage.load, bed),
    async launch() {
      if (!command) throw new Error(`there is nothing to start of ${name}`);
      const place = { port, destination, folder: folderFor(name, stage) };
      return await start(command(place), port, FIRST_UID + index, bed);
    },
  };
}

async function startOf(subject: Named): Promise<Running | undefined | Error> {
  try {
    return subject.command ? await subject.launch() : undefined;
  } catch (error) {
    return error as Error;
  }
}

export function rotated<T>(list: readonly T[], by: number): readonly T[] {
  const at = by % Math.max(1, list.length);
  return [...list.slice(at), ...list.slice(0, at)];
}
