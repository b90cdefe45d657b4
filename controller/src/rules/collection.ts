import { isDeepStrictEqual } from "node:util";

interface Item<T> {
  readonly version: bigint;
  readonly value: T;
}

/** One change of what is known; before or after is undefined of what is new or gone. */
export type OnChange<T> = (before: T | undefined, after: T | undefined) => void;

/**
 * What is known of one kind of object, and up to which version of the API server's. News come from a watch, and ahead of
 * it from whoever has asked for one object: whatever is older than what is known changes nothing.
 */
export class Collection<T> {
  readonly #items = new Map<string, Item<T>>();
  readonly #onChange: OnChange<T>;
  readonly #onListed: () => void;
  #version: bigint | undefined;
  #isListed = false;

  constructor(onChange: OnChange<T>, onListed: () => void = () => {}) {
    this.#onChange = onChange;
    this.#onListed = onListed;
  }

  /** Undefined until it has been listed, and where this API server has no such kind. */
  get version(): bigint | undefined {
    return this.#version;
  }

  /** Also once it is known that there is no such kind. */
  get isListed(): boolean {
    return this.#isListed;
  }

  get(key: string): T | undefined {
    return this.#items.get(key)?.value;
  }

  versionOf(key: string): bigint | undefined {
    return this.#items.get(key)?.version;
  }

  *values(): Iterable<T> {
    for (const { value } of this.#items.values()) yield value;
  }

  /** All that there was at `version`; undefined: there is no such kind. */
  replace(items: ReadonlyMap<string, Item<T>>, version: bigint | undefined): void {
    const isRewound = (version ?? 0n) < (this.#version ?? 0n);
    this.#version = version;
    this.#isListed = true;
    for (const [key, { version: known }] of [...this.#items]) {
      // What was asked for by itself, after the list was made, stays.
      const isAhead = !isRewound && version !== undefined && known > version;
      if (!items.has(key) && !isAhead) this.#set(key, undefined);
    }
    for (const [key, item] of items)
      if (isRewound || item.version >= (this.versionOf(key) ?? 0n)) this.#set(key, item);
    this.#onListed();
  }

  /** Of a watch: of one collection they come in order. */
  news(key: string, version: bigint, value: T | undefined): void {
    if (this.#version === undefined || version <= this.#version) return;
    this.#version = version;
    const known = this.versionOf(key);
    if (known === undefined || known < version)
      this.#set(key, value === undefined ? undefined : { version, value });
  }

  /** One that was asked for by itself: news where the watch has not come so far. */
  offer(key: string, version: bigint, value: T): void {
    const known = this.versionOf(key) ?? this.#version ?? 0n;
    if (version > known) this.#set(key, { version, value });
  }

  /** Nothing has happened until then. */
  advance(version: bigint): void {
    if (this.#version !== undefined && version > this.#version) this.#version = version;
  }

  #set(key: string, item: Item<T> | undefined): void {
    const before = this.#items.get(key)?.value;
    if (item === undefined) {
      if (this.#items.delete(key)) this.#onChange(before, undefined);
      return;
    }
    const isSame = before !== undefined && isDeepStrictEqual(before, item.value);
    // The old value, where it is the same: whoever holds it holds no second copy.
    this.#items.set(key, isSame ? { version: item.version, value: before } : item);
    if (!isSame) this.#onChange(before, item.value);
  }
}
