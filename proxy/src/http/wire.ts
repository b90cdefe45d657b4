/** Whoever has the word over a socket at the moment. */
export interface WireUser {
  /** What has come. The memory is used again when this returns: what is kept of it is to be copied. */
  bytes(chunk: Buffer): void;
  /** The other side will say no more. */
  ended(): void;
  /** All that was sent has gone out. */
  drained(): void;
  /** It was reset while it is paused: what it has said before can still be read. */
  broken?(): void;
  /** Closed for good; with an error, where it was not by both sides' will. Told once, and never while something else is. */
  gone(error: NodeJS.ErrnoException | undefined): void;
}

/** What may wait to be written before whoever sends is to stop. */
export const HIGH_WATER_BYTES = 65_536;

/**
 * A connected socket, and what waits to be written to it in one go: parts that lie one behind the other in memory, as a
 * head and its body do when they came in one piece, go on as one. What is sent goes out with `flush`.
 */
export abstract class Wire {
  user: WireUser | undefined;
  sent = 0;
  received = 0;
  /** The other side has said its last byte. */
  hasEnded = false;
  isGone = false;
  #gathered: (Buffer | string)[] = [];

  /** As much waits to be written as should. */
  abstract get isFull(): boolean;
  abstract pause(): void;
  abstract resume(): void;
  /** Nothing that has been written still waits for room. */
  protected abstract get isWritten(): boolean;
  /** In one go; what cannot be written at once is kept by copying it. */
  protected abstract write(parts: readonly (Buffer | string)[]): void;
  protected abstract shutdown(): void;
  protected abstract destroy(isReset: boolean): void;

  /** Nothing that was sent still waits. */
  get isFlushed(): boolean {
    return this.#gathered.length === 0 && this.isWritten;
  }

  /** A text is sent byte by byte (latin1). */
  send(part: Buffer | string): void {
    if (part.length === 0) return;
    this.sent += part.length;
    const last = this.#gathered.at(-1);
    if (typeof part !== "string" && typeof last === "object" && isBehind(last, part)) {
      const joined = Buffer.from(last.buffer, last.byteOffset, last.length + part.length);
      this.#gathered[this.#gathered.length - 1] = joined;
    } else this.#gathered.push(part);
  }

  flush(): void {
    const parts = this.#gathered;
    if (parts.length === 0) return;
    this.#gathered = [];
    if (!this.isGone) this.write(parts);
  }

  /** Says that there is no more, after what has been sent. */
  end(): void {
    this.flush();
    this.shutdown();
  }

  /** Ends it so that the other side cannot take it for an orderly end. */
  reset(): void {
    this.#gathered = [];
    this.destroy(true);
  }

  /** Gives it up, whatever still waits. */
  close(): void {
    this.#gathered = [];
    this.destroy(false);
  }
}

function isBehind(first: Buffer, second: Buffer): boolean {
  return first.buffer === second.buffer && first.byteOffset + first.length === second.byteOffset;
}
