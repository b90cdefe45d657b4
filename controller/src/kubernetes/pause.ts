import { setTimeout as delay } from "node:timers/promises";

/** Until the time is over or the signal is given, whichever is first. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(Math.max(0, ms), undefined, { signal, ref: true }).catch(() => {});
}
