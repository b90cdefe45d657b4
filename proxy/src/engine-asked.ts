/** Who waits for an answer of one kind about a connection: one at a time, by the connection's id. */
export class Asked<Answer> {
  readonly #waiting = new Map<number, (answer: Answer | undefined) => void>();

  /** Undefined when the connection is gone; at once where one answer is waited for already. */
  ask(id: number, send: () => void): Promise<Answer | undefined> {
    if (this.#waiting.has(id)) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      send();
      this.#waiting.set(id, resolve);
    });
  }

  /** Whether anybody waited for it. */
  answer(id: number, answer: Answer | undefined): boolean {
    const resolve = this.#waiting.get(id);
    this.#waiting.delete(id);
    resolve?.(answer);
    return resolve !== undefined;
  }

  get ids(): readonly number[] {
    return [...this.#waiting.keys()];
  }
}
