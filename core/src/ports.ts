/** A closed range of TCP ports. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** The whole of `text` as a port number 1–65535, or undefined. */
export function parsePort(text: string): number | undefined {
  if (!/^[1-9]\d{0,4}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

export function portInRange({ first, last }: PortRange, port: number): boolean {
  return port >= first && port <= last;
}

/** Ranges united, for one question asked often. */
export class PortSet {
  readonly #ranges: PortRange[] = [];

  constructor(ranges: readonly PortRange[]) {
    for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
      const last = this.#ranges.at(-1);
      if (last && range.first <= last.last + 1)
        this.#ranges[this.#ranges.length - 1] = {
          first: last.first,
          last: Math.max(last.last, range.last),
        };
      else this.#ranges.push(range);
    }
  }

  has(port: number): boolean {
    const ranges = this.#ranges;
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ranges[middle] as PortRange).last < port) low = middle + 1;
      else high = middle;
    }
    const range = ranges[low];
    return range !== undefined && portInRange(range, port);
  }
}
