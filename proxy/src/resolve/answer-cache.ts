import type { Answer } from "./answer.ts";

/** An answer and until when it may be used. */
export interface Known {
  readonly answer: Answer;
  readonly untilMs: number;
}

/** Answers by name, bounded in names and in addresses; the least recently used goes first. */
export class AnswerCache {
  readonly #maxNames: number;
  readonly #maxAddresses: number;
  /** The least recently used is the first. */
  readonly #known = new Map<string, Known>();
  #addresses = 0;

  constructor(maxNames: number, maxAddresses: number) {
    this.#maxNames = maxNames;
    this.#maxAddresses = maxAddresses;
  }

  get size(): number {
    return this.#known.size;
  }

  /** Undefined where nothing is known any more. */
  get(name: string, nowMs: number): Answer | undefined {
    const known = this.#known.get(name);
    if (!known) return undefined;
    this.#known.delete(name);
    if (known.untilMs > nowMs) {
      this.#known.set(name, known);
      return known.answer;
    }
    this.#addresses -= known.answer.addresses.length;
    return undefined;
  }

  set(name: string, known: Known): void {
    this.delete(name);
    this.#known.set(name, known);
    this.#addresses += known.answer.addresses.length;
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= this.#maxNames && this.#addresses <= this.#maxAddresses) break;
      this.delete(oldest);
    }
  }

  delete(name: string): void {
    this.#addresses -= this.#known.get(name)?.answer.addresses.length ?? 0;
    this.#known.delete(name);
  }

  clear(): void {
    this.#known.clear();
    this.#addresses = 0;
  }
}
