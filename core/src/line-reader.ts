const LINE_END = 0x0a;

/** Bytes to lines, of which none is longer than `maxBytes`; the rest of a line that has begun is all that it keeps. */
export class LineReader {
  readonly #maxBytes: number;
  #begun: Buffer[] = [];
  #begunBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that `bytes` end, without their line ends; "too long" where one is. */
  read(bytes: Buffer): Buffer[] | "too long" {
    const lines: Buffer[] = [];
    let from = 0;
    for (;;) {
      const end = bytes.indexOf(LINE_END, from);
      const part = bytes.subarray(from, end === -1 ? bytes.length : end);
      if (this.#begunBytes + part.length > this.#maxBytes) return "too long";
      if (end === -1) {
        if (part.length > 0) {
          // A copy: what the socket has read into is larger than this.
          this.#begun.push(Buffer.from(part));
          this.#begunBytes += part.length;
        }
        return lines;
      }
      lines.push(this.#begun.length > 0 ? Buffer.concat([...this.#begun, part]) : part);
      this.#begun = [];
      this.#begunBytes = 0;
      from = end + 1;
    }
  }
}
