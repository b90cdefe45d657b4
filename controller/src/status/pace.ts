import { type TokenBucket, tokenBucket } from "./token-bucket.ts";

/** How often status is written, by one controller in one role. */
export const PACE = {
  /** One object's, where only counts have changed, */
  countsMs: 5_000,
  /** and where anything else has. */
  soonMs: 1_000,
  /** All objects' together. */
  burst: 20,
  perSecond: 10,
} as const;
export type PaceTimes = { readonly [name in keyof typeof PACE]: number };

export interface Due<T> {
  readonly uid: string;
  readonly soon: boolean;
  readonly what: T;
}

/**
 * Of what is due, what may be written now: soon ones first, then those that have waited longest, each object at its own
 * pace and all together at theirs. What is left waits for the next look, and says by then what is so by then.
 */
export interface Pace {
  pick<T>(due: readonly Due<T>[], nowMs: number): Due<T>[];
  /** Forgets what is not among them. */
  keep(uids: ReadonlySet<string>): void;
}

export function createPace(times: PaceTimes = PACE, random: () => number = Math.random): Pace {
  const bucket: TokenBucket = tokenBucket(times);
  /** When each was written last. */
  const writtenMs = new Map<string, number>();
  /** Since when each waits. */
  const waitsSinceMs = new Map<string, number>();
  return {
    pick: (due, nowMs) => {
      for (const { uid } of due) {
        if (waitsSinceMs.has(uid)) continue;
        // What one report has changed of many objects does not come all in one moment ever after.
        if (!writtenMs.has(uid)) writtenMs.set(uid, nowMs - times.soonMs * (1 + random()));
        waitsSinceMs.set(uid, nowMs);
      }
      const ripe = due.filter(({ uid, soon }) => {
        const sinceMs = nowMs - (writtenMs.get(uid) ?? 0);
        return sinceMs >= (soon ? times.soonMs : times.countsMs);
      });
      ripe.sort(
        (a, b) =>
          Number(b.soon) - Number(a.soon) ||
          (waitsSinceMs.get(a.uid) ?? 0) - (waitsSinceMs.get(b.uid) ?? 0),
      );
      const picked: Due<(typeof due)[number]["what"]>[] = [];
      for (const one of ripe) {
        if (!bucket.take(nowMs)) break;
        writtenMs.set(one.uid, nowMs);
        waitsSinceMs.delete(one.uid);
        picked.push(one);
      }
      return picked;
    },
    keep: (uids) => {
      for (const map of [writtenMs, waitsSinceMs])
        for (const uid of map.keys()) if (!uids.has(uid)) map.delete(uid);
    },
  };
}
