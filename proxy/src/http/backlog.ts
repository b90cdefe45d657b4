/** One of these holds what is left of a read. */
const BLOCK_BYTES = 262_144;
/** What is less is not worth one. */
const SMALL_BYTES = 16_384;
/** Idle ones kept for the next; more are left to the garbage collector, which sees to them late. */
const KEPT_BLOCKS = 16;

/** Memory for what waits to be written, used over and over: a slow reader would have it allocated for every read. */
export class Blocks {
  readonly #idle: Buffer[] = [];

  take(): Buffer {
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
  }

  give(block: Buffer): void {
    if (this.#idle.length < KEPT_BLOCKS) this.#idle.push(block);
  }
}

interface Waiting {
  bytes: Buffer;
  readonly block?: Buffer | undefined;
}

/** Copies of what a socket had no room for, in order. */
export class Backlog {
  readonly #blocks: Blocks;
  #waiting: Waiting[] = [];
  /** In bytes. */
  length = 0;

  constructor(blocks: Blocks) {
    this.#blocks = blocks;
  }

  /** All but the first `taken` bytes of these. */
  add(parts: readonly (Buffer | string)[], taken: number): void {
    const total = parts.reduce((sum, part) => sum + part.length, 0) - taken;
    if (total <= 0) return;
    const isLarge = total > SMALL_BYTES && total <= BLOCK_BYTES;
    const block = isLarge ? this.#blocks.take() : undefined;
    const bytes = block?.subarray(0, total) ?? Buffer.allocUnsafe(total);
    let skip = taken;
    let at = 0;
    for (const part of parts) {
      if (skip < part.length)
        at +=
          typeof part === "string"
            ? bytes.write(skip > 0 ? part.slice(skip) : part, at, "latin1")
            : part.copy(bytes, at, skip);
      skip = Math.max(0, skip - part.length);
    }
    this.#waiting.push({ bytes, block });
    this.length += total;
  }

  /** What comes first, at most so many. */
  first(count: number): Buffer[] {
    return this.#waiting.slice(0, count).map(({ bytes }) => bytes);
  }

  /** So many bytes of it have been written. */
  written(count: number): void {
    this.length -= count;
    let left = count;
    while (left > 0) {
      const [waiting] = this.#waiting;
      if (!waiting) return;
      if (left < waiting.bytes.length) {
        waiting.bytes = waiting.bytes.subarray(left);
        return;
      }
      left -= waiting.bytes.length;
      this.#drop();
    }
  }

  clear(): void {
    while (this.#waiting.length > 0) this.#drop();
    this.length = 0;
  }

  #drop(): void {
    const dropped = this.#waiting.shift();
    if (dropped?.block) this.#blocks.give(dropped.block);
  }
}
