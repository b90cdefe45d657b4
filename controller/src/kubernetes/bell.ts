import { pause } from "./pause.ts";

/** Wakes one sleeper; what rings while nobody sleeps wakes the next one at once. */
export interface Bell {
  ring(): void;
  /** Until it rings, the time is over or the signal is given. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export function createBell(): Bell {
  let rung = false;
  let awake = new AbortController();
  return {
    ring: () => {
      rung = true;
      awake.abort();
    },
    sleep: async (ms, signal) => {
      if (!rung) {
        awake = new AbortController();
        await pause(ms, AbortSignal.any([signal, awake.signal]));
      }
      rung = false;
    },
  };
}
