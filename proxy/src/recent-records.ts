import type { DecisionRecord } from "@sallyport/core/record";

/** The last records, whatever the access log shows of them. */
export class RecentRecords {
  readonly #limit: number;
  readonly #ring: DecisionRecord[] = [];
  #next = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(record: DecisionRecord): void {
    this.#ring[this.#next] = record;
    this.#next = (this.#next + 1) % this.#limit;
  }

  /** The newest first. */
  latest(): DecisionRecord[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)].reverse();
  }
}
