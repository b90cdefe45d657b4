import { printable } from "../sniff/name-given.ts";
import type { Fault } from "./message.ts";

export function fault(problem: string, status: Fault["status"] = 400): Fault {
  return { kind: "fault", status, problem };
}

/** What was found where something else belongs, as far as a line of a log has room. */
export function quoted(latin1: string): string {
  return `"${printable(latin1, 60)}"`;
}
