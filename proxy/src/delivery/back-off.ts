export const BACK_OFF = {
  firstMs: 100,
  maxMs: 30_000,
  /** While there is no policy at all: an app waits for it. */
  maxWithoutPolicyMs: 5_000,
  /** After a good stream that ended without a word: all of its controller's sidecars have lost theirs at that moment. */
  lostMs: 2_000,
  /** A server that says when to come again is believed so far. */
  maxSaidMs: 60_000,
} as const;

/** What came of the last attempt. */
export interface Tried {
  /** In a row, up to now. */
  readonly failures: number;
  /** Whether there is one in force: then there is no hurry. */
  readonly hasPolicy: boolean;
  /** A good stream, and its end was not announced. */
  readonly isLost: boolean;
  /** When the server wants to be asked again. */
  readonly saidMs: number;
}

/** How long to wait before the next attempt. Not all of those that were told the same come at the same moment. */
export function waitMs(
  { failures, hasPolicy, isLost, saidMs }: Tried,
  random: () => number,
): number {
  const { maxMs, maxWithoutPolicyMs, maxSaidMs, lostMs } = BACK_OFF;
  const ownMs =
    isLost && hasPolicy
      ? random() * lostMs
      : backOffMs(failures, hasPolicy ? maxMs : maxWithoutPolicyMs, random);
  return Math.max(ownMs, Math.min(saidMs, maxSaidMs) * (1 + random() / 4));
}

/**
 * By failures, with full jitter: thousands of sidecars that cannot reach a controller come back spread out. None: at once.
 */
export function backOffMs(failures: number, maxMs: number, random: () => number): number {
  if (failures === 0) return 0;
  return random() * Math.min(maxMs, BACK_OFF.firstMs * 2 ** Math.min(failures - 1, 30));
}
