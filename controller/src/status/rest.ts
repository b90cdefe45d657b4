/** Going through everything is followed by a rest so many times as long: it never takes much of a controller's time. */
const REST_FOR = 10;

/** Undefined while it rests. */
export function withRests<T>(work: (nowMs: number) => T): (nowMs: number) => T | undefined {
  let untilMs = 0;
  return (nowMs) => {
    if (nowMs < untilMs) return undefined;
    const began = performance.now();
    const result = work(nowMs);
    untilMs = nowMs + REST_FOR * (performance.now() - began);
    return result;
  };
}
