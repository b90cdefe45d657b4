/** How much somebody may say: so much at once, and so much a second. */
export class Allowance {
  readonly #perSecond: number;
  readonly #atOnce: number;
  #left: number;
  #lookedMs: number;

  constructor(perSecond: number, atOnce: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#atOnce = atOnce;
    this.#left = atOnce;
    this.#lookedMs = nowMs;
  }

  get spent(): boolean {
    return this.#left < 0;
  }

  take(amount: number): void {
    this.#left -= amount;
  }

  /** What has come in since it was called last. */
  refill(nowMs: number): void {
    const more = ((nowMs - this.#lookedMs) / 1_000) * this.#perSecond;
    this.#left = Math.min(this.#atOnce, this.#left + more);
    this.#lookedMs = nowMs;
  }
}
