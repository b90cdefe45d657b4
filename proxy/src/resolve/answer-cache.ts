import type { Answer } from "./answer.ts";

/** An answer and until when it may be used. */
export interface Known {
  readonly answer: Answer;
  readonly untilMs: number;
}

/**
 * Answers by name, bounded in names and in addresses. Two generations, each of half the bounds: what is used is in the
 * young one, and when that is full it becomes the old one, whose names, unused since, are dropped. (A single Map kept in
 * order of use would be simpler to say, but costs 20 µs a hit on one busy name: V8 leaves what is deleted in its bucket's
 * chain until the whole table is rebuilt.)
 */
export class AnswerCache {
  readonly #maxNames: number;
  readonly #maxAddresses: number;
  #young = new Map<string, Known>();
  #old = new Map<string, Known>();
  /** Of the young ones. */
  #addresses = 0;

  constructor(maxNames: number, maxAddresses: number) {
    this.#maxNames = maxNames;
    this.#maxAddresses = maxAddresses;
  }

  /** Entries held; a name that was used in both generations counts twice. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Undefined where nothing is known any more. */
  get(name: string, nowMs: number): Answer | undefined {
    const young = this.#young.get(name);
    const known = young ?? this.#old.get(name);
    if (!known || known.untilMs <= nowMs) return undefined;
    if (!young) this.set(name, known);
    return known.answer;
  }

  set(name: string, known: Known): void {
    const before = this.#young.get(name)?.answer.addresses.length ?? 0;
    this.#young.set(name, known);
    this.#addresses += known.answer.addresses.length - before;
    if (this.#young.size * 2 < this.#maxNames && this.#addresses * 2 < this.#maxAddresses) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#addresses = 0;
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
    this.#addresses = 0;
  }
}
