import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

const LOOK_MS = 50;
const QUIET_CORES = 0.15; // busy, of all together, while every contender idles
/** In one run of the benchmark; what it does not buy is said. */
export const PATIENCE_MS = { full: 60_000, quick: 5_000 } as const;

export interface Quiet {
  /** Waits until nobody else is at work on this machine, while patience lasts. */
  wait(): Promise<void>;
  said(): string;
}

export function quietMachine(totalMs: number): Quiet {
  let [patienceMs, asked, disturbed, waitedMs] = [totalMs, 0, 0, 0];
  return {
    async wait() {
      asked++;
      while ((await busyCores()) > QUIET_CORES) {
        if (patienceMs <= 0) {
          disturbed++;
          return;
        }
        patienceMs -= LOOK_MS;
        waitedMs += LOOK_MS;
      }
    },
    said() {
      const waited = `waited ${(waitedMs / 1_000).toFixed(1)} s for a quiet machine`;
      return disturbed === 0
        ? `${waited}; every one of ${asked} measurements began on one`
        : `${waited}; yet ${disturbed} of ${asked} measurements began while others were at work`;
    },
  };
}

async function busyCores(): Promise<number> {
  const before = busyMs();
  const startedMs = performance.now();
  await sleep(LOOK_MS);
  return (busyMs() - before) / (performance.now() - startedMs);
}

function busyMs(): number {
  return cpus().reduce(
    (total, { times }) => total + times.user + times.nice + times.sys + times.irq,
    0,
  );
}
