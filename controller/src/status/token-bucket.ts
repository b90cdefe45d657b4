/** So many at once, and so many a second after that. */
export interface TokenBucket {
  /** False where it is empty. */
  take(nowMs: number): boolean;
}

export function tokenBucket({
  burst,
  perSecond,
}: {
  readonly burst: number;
  readonly perSecond: number;
}): TokenBucket {
  let tokens = burst;
  let atMs: number | undefined;
  return {
    take: (nowMs) => {
      if (atMs !== undefined)
        tokens = Math.min(burst, tokens + ((nowMs - atMs) / 1_000) * perSecond);
      atMs = nowMs;
      if (tokens < 1) return false;
      tokens--;
      return true;
    },
  };
}
