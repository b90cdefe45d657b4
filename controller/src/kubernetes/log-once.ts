import type { Level, Log } from "../log.ts";

/**
 * For what is tried again and again: a trouble is told when it is new, and its end when it is over. A trouble that stays
 * the same is not told twice.
 */
export function logOnce(log: Log) {
  let last: string | undefined;
  return {
    trouble(error: unknown, level: Level = "error"): void {
      const { message } = error as Error;
      if (message === last) return;
      last = message;
      log(level, message);
    },
    fine(message?: string): void {
      if (last !== undefined && message !== undefined) log("info", message);
      last = undefined;
    },
  };
}
