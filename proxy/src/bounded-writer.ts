import { write } from "node:fs";

/**
 * Lines to a file descriptor through a bounded queue. process.stdout blocks the whole process when it is a pipe that
 * nobody reads (Node's documentation of `process.stdout`, "A note on process I/O"); here one asynchronous write is under
 * way at a time, what it does not take waits, and what no longer fits is dropped and counted.
 */
export class BoundedWriter {
  readonly #fd: number;
  readonly #limit: number;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #writing = false;
  #idle: (() => void)[] = [];
  dropped = 0;
  written = 0;

  constructor(fd: number, limitBytes: number) {
    this.#fd = fd;
    this.#limit = limitBytes;
  }

  get queuedBytes(): number {
    return this.#waitingBytes;
  }

  /** `text` is one line without its end. */
  line(text: string): void {
    const bytes = Buffer.byteLength(text) + 1;
    if (this.#waitingBytes + bytes > this.#limit) {
      this.dropped += 1;
      return;
    }
    this.#waiting.push(text);
    this.#waitingBytes += bytes;
    if (!this.#writing) {
      this.#writing = true;
      // Lines of the same turn leave in one write.
      setImmediate(() => this.#next());
    }
  }

  /** When everything queued has been written, or after `timeoutMs`. */
  flush(timeoutMs: number): Promise<void> {
    if (!this.#writing) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#idle.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #next(): void {
    if (this.#waiting.length === 0) {
      this.#writing = false;
      for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    const lines = this.#waiting;
    this.#waiting = [];
    this.#write(Buffer.from(`${lines.join("\n")}\n`), lines.length);
  }

  #write(chunk: Buffer, lines: number): void {
    write(this.#fd, chunk, 0, chunk.length, null, (error, count) => {
      if (error?.code === "EAGAIN") {
        setTimeout(() => this.#write(chunk, lines), 50).unref();
        return;
      }
      const taken = error ? chunk.length : count;
      this.#waitingBytes -= taken;
      if (!error && taken < chunk.length) {
        this.#write(chunk.subarray(taken), lines);
        return;
      }
      if (error) this.dropped += lines;
      else this.written += lines;
      this.#next();
    });
  }
}
