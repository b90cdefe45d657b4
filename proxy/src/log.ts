import type { BoundedWriter } from "./bounded-writer.ts";

const LEVELS = ["error", "warn", "info", "debug"] as const;
export type Level = (typeof LEVELS)[number];

export type Log = (level: Level, message: string, more?: Readonly<Record<string, unknown>>) => void;

/** JSON lines about the sidecar itself, apart from the access log; as bounded as that. */
export function createLog(writer: BoundedWriter, least: Level, now: () => number): Log {
  return (level, message, more) => {
    if (LEVELS.indexOf(level) > LEVELS.indexOf(least)) return;
    writer.line(JSON.stringify({ time: new Date(now()).toISOString(), level, message, ...more }));
  };
}
