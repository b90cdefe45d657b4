import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { PLAN } from "./plan.ts";

const file = join(PLAN.state, "state.json");

const State = z.strictObject({
  /** The process that holds the box, as this machine numbers it. */
  pid: z.int(),
  /** When it was started, in ticks since the machine was: another process of the same number is not taken for it. */
  started: z.string(),
  families: z.enum(["dual", "ipv4"]),
  cgroups: z.array(z.string()),
  /** All of it works. */
  complete: z.boolean(),
});
export type State = z.infer<typeof State>;

export function writeState(state: State): void {
  writeFileSync(file, `${JSON.stringify(state)}\n`);
}

export function readState(): State | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  return State.parse(JSON.parse(text));
}

/** The 22nd field of /proc/PID/stat, counted after the name, which may hold anything (proc(5)); undefined once it has ended. */
export function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

export const holds = ({ pid, started }: State): boolean => startOf(pid) === started;
