import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { awake } from "./awake.ts";
import { type Bed, CORES } from "./bed.ts";

/** How a program of bench/load is asked. */
export interface Load {
  readonly mode: string;
  readonly destination: string;
  readonly connections: number;
  /** Questions a second, where latencies are asked for; else there are as many as can be. */
  readonly rate?: number;
  /** No core halts meanwhile; so it is wherever latencies are asked for. */
  readonly awake?: boolean;
  readonly warmMs: number;
  readonly measuredMs: number;
  /** Whose CPU time is read. */
  readonly pids: readonly number[];
}

/** What it says of the measured time: bytes, connections or requests; or latencies. */
export interface Counted {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Of that, what the first thread of each process took. */
  readonly firstThreadSeconds: number;
  readonly count: number;
}
export interface Latencies {
  readonly count: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

export type LoadProgram = ReturnType<typeof loadProgram>;

export function loadProgram(program: string, bed: Bed) {
  const spawn = (...args: readonly (string | number)[]) => {
    const child = bed.near.spawn(
      ["taskset", "-c", String(CORES.ends), program, ...args.map(String)],
      {
        stdio: ["pipe", "pipe", "pipe"],
      },
    );
    const { stdin, stdout, stderr } = child;
    if (!stdin || !stdout || !stderr) throw new Error("spawned with pipes, yet there are none");
    return { child, stdin, stdout, stderr };
  };
  const ask = async (load: Load): Promise<Counted & Latencies> => {
    const { mode, destination, connections, rate = 0, warmMs, measuredMs, pids } = load;
    const args = [mode, destination, connections, rate, warmMs, measuredMs, ...pids];
    const { child, stdout, stderr } = spawn(...args);
    const [said, complaint, [status]] = await Promise.all([
      ...[text(stdout), text(stderr)],
      once(child, "exit"),
    ] as const);
    if (status !== 0) throw new Error(complaint.trim() || `the load ended with ${status}`);
    return JSON.parse(said);
  };
  return {
    run: (load: Load) =>
      load.rate !== undefined || load.awake ? awake(bed, () => ask(load)) : ask(load),

    /**
     * Opens a crowd step by step: each step resolves when so many connections stand, and have had an answer where they
     * idle; `stall`: they are sent to without end, and never read.
     */
    crowd(destination: string, mode: "idle" | "stall" = "idle") {
      const { child, stdin, stdout, stderr } = spawn(mode, destination, 0, 0, 0, 0);
      const complaint = text(stderr);
      const lines = createInterface(stdout)[Symbol.asyncIterator]();
      stdin.on("error", () => {}); // it has ended: lines end too, and say why
      return {
        async hold(count: number): Promise<void> {
          stdin.write(`${count}\n`);
          const { value, done } = await lines.next();
          if (done || value !== String(count)) throw new Error((await complaint).trim());
        },
        async leave(): Promise<void> {
          stdin.end();
          if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
        },
      };
    },
  };
}
