/**
 * Reads bytes in the order of RFC 8446 §3. Reading past the end gives zeros and empty vectors and is remembered, so that
 * a caller asks once, when it has read what it expects.
 */
export class Reader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  #overrun = false;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  get overrun(): boolean {
    return this.#overrun;
  }

  /** Everything read, and nothing beyond it. */
  get complete(): boolean {
    return !this.#overrun && this.#at === this.#end;
  }

  skip(length: number): void {
    this.#take(length);
  }

  uint8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : (this.#bytes[at] ?? 0);
  }

  uint16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : ((this.#bytes[at] ?? 0) << 8) | (this.#bytes[at + 1] ?? 0);
  }

  /** A vector whose length comes first, in one byte. */
  vector8(): Reader {
    return this.#vector(this.uint8());
  }

  /** A vector whose length comes first, in two bytes. */
  vector16(): Reader {
    return this.#vector(this.uint16());
  }

  /** What is left, a character a byte. */
  latin1(): string {
    return this.#bytes.toString("latin1", this.#at, this.#end);
  }

  #vector(length: number): Reader {
    const at = this.#take(length);
    return at < 0 ? new Reader(this.#bytes, 0, 0) : new Reader(this.#bytes, at, at + length);
  }

  /** Where the next `length` bytes begin; negative where there are not so many. */
  #take(length: number): number {
    const at = this.#at;
    if (length > this.#end - at) {
      this.#overrun = true;
      this.#at = this.#end;
      return -1;
    }
    this.#at = at + length;
    return at;
  }
}
