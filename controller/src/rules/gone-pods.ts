/** A slice may name a pod's address for a while after the pod has gone: as long as its keeper takes to hear of it. */
const LINGER_MS = 60_000;

/** Addresses that were pods' a moment ago; whoever kept connections to a Service with one of them keeps them. */
export class GonePods {
  readonly #since = new Map<string, number>();

  note(address: string, nowMs: number): void {
    this.#since.delete(address);
    this.#since.set(address, nowMs);
  }

  /** In how long the first is forgotten; undefined where there is none. */
  untilNextMs(nowMs: number): number | undefined {
    const [oldest] = this.#since.values();
    return oldest === undefined ? undefined : oldest + LINGER_MS - nowMs;
  }

  addresses(nowMs: number): Iterable<string> {
    for (const [address, sinceMs] of this.#since) {
      if (nowMs - sinceMs < LINGER_MS) break;
      this.#since.delete(address);
    }
    return this.#since.keys();
  }
}
