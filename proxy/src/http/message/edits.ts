/** Where a line of a head begins, and where the next one does. */
export interface Line {
  readonly start: number;
  readonly end: number;
}

/** What goes on otherwise than it came. */
export class Edits {
  readonly #raw: string;
  readonly #edits: (Line & { readonly text: string })[] = [];
  #added = "";

  constructor(raw: string) {
    this.#raw = raw;
  }

  /** `text` is a line with its end, or nothing. */
  replace({ start, end }: Line, text: string): void {
    this.#edits.push({ start, end, text });
  }

  drop(lines: readonly Line[] | undefined): void {
    if (lines) for (const line of lines) this.replace(line, "");
  }

  /** A field behind all others. */
  add(field: string): void {
    this.#added += `${field}\r\n`;
  }

  /** The head as it goes on. No two edits are of one line. */
  applied(): string {
    const raw = this.#raw;
    if (this.#edits.length === 0 && this.#added === "") return raw;
    let text = "";
    let at = 0;
    for (const { start, end, text: instead } of this.#edits.sort((a, b) => a.start - b.start)) {
      text += raw.slice(at, start) + instead;
      at = end;
    }
    return `${text}${raw.slice(at, -2)}${this.#added}\r\n`;
  }
}
