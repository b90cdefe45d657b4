import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { PLAN } from "./plan.ts";

const file = join(PLAN.state, "state.json");

/** A process as this machine numbers it, and when it was started, so that no later one is taken for it. */
const Process = z.strictObject({ pid: z.int(), started: z.string() });

const State = z.strictObject({
  /** Its namespaces are the box's; with it, the box ends. */
  holder: Process,
  /** Who makes it, or made it. */
  maker: Process,
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

export const processOf = (pid: number) => ({ pid, started: startOf(pid) ?? "" });

export const lives = ({ pid, started }: z.infer<typeof Process>): boolean =>
  startOf(pid) === started;

/** In ticks since the machine was started: the 22nd field, counted after a name that may hold anything (proc(5)). */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
