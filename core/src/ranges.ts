import type { Address, Cidr } from "./address.ts";

/** A CIDR, what is said of it, and the next wider CIDR around it. */
interface Node<T> {
  readonly cidr: Cidr;
  readonly values: T[];
  readonly around: Node<T> | undefined;
}

/**
 * CIDRs and what each stands for. Two CIDRs never overlap but by one holding the other, so that the addresses fall into
 * segments, each with its innermost CIDR: a search among the segments' first addresses, then outwards. O(log n) and the
 * depth of nesting.
 */
export class Ranges<T> {
  readonly #v4: Segments<T>;
  readonly #v6: Segments<T>;

  constructor(items: readonly (readonly [Cidr, T])[]) {
    this.#v4 = new Segments(items.filter(([{ family }]) => family === 4));
    this.#v6 = new Segments(items.filter(([{ family }]) => family === 6));
  }

  /** What `pick` first makes of a CIDR that holds the address, innermost first. */
  find<R>(address: Address, pick: (cidr: Cidr, value: T) => R | undefined): R | undefined {
    const segments = address.family === 4 ? this.#v4 : this.#v6;
    for (let node = segments.innermost(address.value); node; node = node.around)
      for (const value of node.values) {
        const picked = pick(node.cidr, value);
        if (picked !== undefined) return picked;
      }
    return undefined;
  }

  /** The prefix length of the innermost CIDR that holds the address; -1 where none does. */
  longest(address: Address): number {
    const segments = address.family === 4 ? this.#v4 : this.#v6;
    return segments.innermost(address.value)?.cidr.prefix ?? -1;
  }

  get empty(): boolean {
    return this.#v4.empty && this.#v6.empty;
  }
}

class Segments<T> {
  /** First addresses, ascending; IPv4 ones as numbers, which compare faster. */
  readonly #starts: (number | bigint)[] = [];
  readonly #nodes: (Node<T> | undefined)[] = [];

  constructor(items: readonly (readonly [Cidr, T])[]) {
    const sorted = [...items].sort(([a], [b]) =>
      a.base === b.base ? a.prefix - b.prefix : a.base < b.base ? -1 : 1,
    );
    let node: Node<T> | undefined;
    for (const [cidr, value] of sorted) {
      while (node && endOf(node.cidr) <= cidr.base) {
        this.#begin(node.cidr.family, endOf(node.cidr), node.around);
        node = node.around;
      }
      if (node?.cidr.base === cidr.base && node.cidr.prefix === cidr.prefix) {
        node.values.push(value);
      } else {
        node = { cidr, values: [value], around: node };
        this.#begin(cidr.family, cidr.base, node);
      }
    }
    for (; node; node = node.around) this.#begin(node.cidr.family, endOf(node.cidr), node.around);
  }

  get empty(): boolean {
    return this.#starts.length === 0;
  }

  innermost(value: bigint): Node<T> | undefined {
    const starts = this.#starts;
    const wanted = typeof starts[0] === "number" ? Number(value) : value;
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((starts[middle] as number | bigint) <= wanted) low = middle + 1;
      else high = middle;
    }
    return this.#nodes[low - 1];
  }

  /** A later beginning at the same address takes the place of the earlier, which held nothing. */
  #begin(family: 4 | 6, at: bigint, node: Node<T> | undefined): void {
    const start = family === 4 ? Number(at) : at;
    if (this.#starts.at(-1) === start) {
      this.#nodes[this.#nodes.length - 1] = node;
      return;
    }
    this.#starts.push(start);
    this.#nodes.push(node);
  }
}

/** The first address after it. */
function endOf({ family, base, prefix }: Cidr): bigint {
  return base + (1n << BigInt((family === 4 ? 32 : 128) - prefix));
}
