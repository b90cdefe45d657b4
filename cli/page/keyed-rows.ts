import { arrange } from "../../proxy/page/dom.ts";

/** One thing's row, and what stands beneath it. */
export interface RowView<T> {
  readonly elements: readonly HTMLElement[];
  update(item: T): void;
}

/** Rows that are kept from one time to the next, so that nothing jumps and the focus stays. */
export class KeyedRows<T> {
  readonly #body: HTMLElement;
  readonly #keyOf: (item: T) => string;
  readonly #make: (item: T) => RowView<T>;
  readonly #views = new Map<string, RowView<T>>();

  constructor(body: HTMLElement, keyOf: (item: T) => string, make: (item: T) => RowView<T>) {
    this.#body = body;
    this.#keyOf = keyOf;
    this.#make = make;
  }

  /** All that there are, of which some may be hidden: they come back as they were. */
  show(items: readonly T[], isShown: (item: T) => boolean = () => true): void {
    const keys = new Set(items.map(this.#keyOf));
    for (const key of this.#views.keys()) if (!keys.has(key)) this.#views.delete(key);
    const elements = items.flatMap((item) => {
      const key = this.#keyOf(item);
      const view = this.#views.get(key) ?? this.#make(item);
      this.#views.set(key, view);
      view.update(item);
      return isShown(item) ? view.elements : [];
    });
    arrange(this.#body, elements);
  }

  get(key: string): RowView<T> | undefined {
    return this.#views.get(key);
  }
}
