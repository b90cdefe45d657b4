import type { Level, Log } from "../log.ts";
import { ApiError } from "./api-error.ts";

/**
 * For what is tried again and again: a trouble is told when it is new, and its end when it is over. No trouble
 * is told twice until then, in whatever turns they come.
 */
export function logOnce(log: Log) {
  const told = new Set<string>();
  return {
    trouble(error: unknown, level: Level = "error"): void {
      const { message } = error as Error;
      const kind = error instanceof ApiError ? error.kind : message;
      if (told.has(kind)) return;
      told.add(kind);
      log(level, message);
    },
    fine(message?: string): void {
      if (told.size > 0 && message !== undefined) log("info", message);
      told.clear();
    },
  };
}
