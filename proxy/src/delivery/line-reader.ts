/** Takes lines out of what arrives; what is unfinished waits, up to `maxBytes`. */
export class LineReader {
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that are whole now; undefined where one is too long. */
  push(chunk: Buffer): readonly string[] | undefined {
    const lines: string[] = [];
    let rest = chunk;
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      if (this.#bytes + end > this.#maxBytes) return undefined;
      lines.push(Buffer.concat([...this.#pieces, rest.subarray(0, end)]).toString("utf8"));
      this.#pieces = [];
      this.#bytes = 0;
      rest = rest.subarray(end + 1);
    }
    if (this.#bytes + rest.length > this.#maxBytes) return undefined;
    if (rest.length > 0) {
      this.#pieces.push(rest);
      this.#bytes += rest.length;
    }
    return lines;
  }
}
