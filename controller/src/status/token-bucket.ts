/** So many at once, and so many a second after that. */
export interface TokenBucket {
  /** False where it is empty. */
  take(nowMs: number): boolean;
  /** Until there is one. */
  waitMs(nowMs: number): number;
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
  const fill = (nowMs: number) => {
    if (atMs !== undefined) tokens = Math.min(burst, tokens + ((nowMs - atMs) / 1_000) * perSecond);
    atMs = nowMs;
  };
  return {
    take: (nowMs) => {
      fill(nowMs);
      if (tokens < 1) return false;
      tokens--;
      return true;
    },
    waitMs: (nowMs) => {
      fill(nowMs);
      return tokens >= 1 ? 0 : ((1 - tokens) / perSecond) * 1_000;
    },
  };
}
