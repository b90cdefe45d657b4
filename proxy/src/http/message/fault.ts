import { printable } from "../../sniff/name-given.ts";

/** Why a message is not read any further, and how the app is to be told. */
export interface Fault {
  readonly kind: "fault";
  /** For the app's own mistakes; a response's are always 502. */
  readonly status: 400 | 414 | 431 | 417;
  /** Printable, one clause: `two Content-Length fields that differ`. */
  readonly problem: string;
}

export function fault(problem: string, status: Fault["status"] = 400): Fault {
  return { kind: "fault", status, problem };
}

/** What was found where something else belongs, as far as a line of a log has room. */
export function quoted(latin1: string): string {
  return `"${printable(latin1, 60)}"`;
}
