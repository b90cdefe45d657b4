export const BACK_OFF = {
  firstMs: 100,
  maxMs: 30_000,
  /** While there is no policy at all: an app waits for it. */
  maxWithoutPolicyMs: 5_000,
  /** A server that says when to come again is believed so far. */
  maxSaidMs: 60_000,
} as const;

/**
 * How long to wait before the next attempt, with full jitter: thousands of sidecars that have lost the same controller come
 * back spread out. `failures` in a row; none: at once.
 */
export function backOffMs(failures: number, maxMs: number, random: () => number): number {
  if (failures === 0) return 0;
  return random() * Math.min(maxMs, BACK_OFF.firstMs * 2 ** Math.min(failures - 1, 30));
}
