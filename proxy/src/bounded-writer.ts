import { openSink, type Sink } from "./sink.ts";

/** What one write carries, unless a single line is longer: a reader who comes back makes room in steps of this. */
const CHUNK_BYTES = 65_536;

/**
 * Lines to a file descriptor through a bounded queue: one write is under way at a time, what comes meanwhile waits, and
 * what no longer fits is dropped and counted. Nothing here waits for the reader. A first line waits `gatherMs` for others:
 * each write wakes whoever reads, which for a line alone costs more than making it did.
 */
export class BoundedWriter {
  readonly #sink: Sink;
  readonly #limit: number;
  readonly #gatherMs: number;
  #waiting: Buffer[] = [];
  #queuedBytes = 0;
  #gathering: NodeJS.Timeout | undefined;
  #writing = false;
  #idle: (() => void)[] = [];
  dropped = 0;
  written = 0;

  constructor(fd: number, limitBytes: number, gatherMs = 0) {
    this.#sink = openSink(fd);
    this.#limit = limitBytes;
    this.#gatherMs = gatherMs;
  }

  /** What waits or is being written. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** `text` is one line without its end. */
  line(text: string): void {
    const line = Buffer.from(`${text}\n`);
    if (this.#queuedBytes + line.length > this.#limit) {
      this.dropped += 1;
      return;
    }
    this.#waiting.push(line);
    this.#queuedBytes += line.length;
    if (this.#writing) return;
    if (this.#queuedBytes >= CHUNK_BYTES) this.#begin();
    else this.#gathering ??= setTimeout(() => this.#begin(), this.#gatherMs);
  }

  /** When everything queued has been written, or after `timeoutMs`. */
  flush(timeoutMs: number): Promise<void> {
    if (this.#gathering) this.#begin();
    if (!this.#writing) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#idle.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #begin(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    this.#writing = true;
    this.#next();
  }

  #next(): void {
    const lines = this.#takeChunk();
    if (lines.length === 0) {
      this.#writing = false;
      for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    const chunk = Buffer.concat(lines);
    this.#sink(chunk, (error) => {
      this.#queuedBytes -= chunk.length;
      if (error) this.dropped += lines.length;
      else this.written += lines.length;
      this.#next();
    });
  }

  #takeChunk(): Buffer[] {
    let bytes = 0;
    const end = this.#waiting.findIndex((line) => {
      bytes += line.length;
      return bytes > CHUNK_BYTES && bytes > line.length;
    });
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end);
  }
}
