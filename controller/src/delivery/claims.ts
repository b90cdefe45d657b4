/** How long one whose word was not true waits until the next is looked into. */
const WAIT_MS = 60_000;

/**
 * A sidecar that says to have what this controller does not know of makes it ask the API server for everything again. Where
 * that knows nothing of it either, it was set back, which is seldom, or the word was not true: then the pod waits, for it
 * could say so for ever.
 */
export class Claims {
  /** By the pod's uid, in the order in which they end. */
  readonly #until = new Map<string, number>();

  untrue(uid: string, nowMs: number): void {
    this.#until.delete(uid);
    this.#until.set(uid, nowMs + WAIT_MS);
  }

  /** Until when its word is not looked into; undefined where it is. */
  waitsUntilMs(uid: string): number | undefined {
    return this.#until.get(uid);
  }

  /** Forgets those that have waited. */
  look(nowMs: number): void {
    for (const [uid, untilMs] of this.#until) {
      if (nowMs < untilMs) return;
      this.#until.delete(uid);
    }
  }
}
