import { isDeepStrictEqual } from "node:util";
import type { Log } from "../log.ts";
import type { Page } from "./policy-book.ts";
import type { PodRef } from "./snapshots.ts";

interface Subscription {
  readonly pod: PodRef;
  readonly onChange: () => void;
  last: Page | undefined;
}

/** Of a processor at most a third goes into this: the next round waits twice as long as the last one took. */
const WAIT_MS = { least: 10, most: 500 } as const;

/** Who wants to know when a pod's page becomes another. What happens within a moment is told at once. */
export class Subscriptions {
  readonly #pageOf: (pod: PodRef) => Page | undefined;
  readonly #log: Log;
  readonly #byNamespace = new Map<string, Set<Subscription>>();
  readonly #listeners = new Set<() => void>();
  /** Namespaces to look at; undefined: all. */
  #concerned: Set<string> | undefined = new Set();
  #timer: NodeJS.Timeout | undefined;
  #waitMs: number = WAIT_MS.least;

  constructor(pageOf: (pod: PodRef) => Page | undefined, log: Log) {
    this.#pageOf = pageOf;
    this.#log = log;
  }

  /** Gives the function that ends it. */
  add(pod: PodRef, onChange: () => void): () => void {
    const subscription: Subscription = { pod, onChange, last: this.#pageOf(pod) };
    const there = this.#byNamespace.get(pod.namespace) ?? new Set();
    this.#byNamespace.set(pod.namespace, there.add(subscription));
    return () => {
      there.delete(subscription);
      if (there.size === 0 && this.#byNamespace.get(pod.namespace) === there)
        this.#byNamespace.delete(pod.namespace);
    };
  }

  /** To anything. Gives the function that ends it. */
  listen(onChange: () => void): () => void {
    const own = () => onChange();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Pages of these namespaces may have changed; of all, where none is said. */
  touch(namespaces?: Iterable<string>): void {
    if (namespaces === undefined) this.#concerned = undefined;
    else for (const each of namespaces) this.#concerned?.add(each);
    this.#timer ??= setTimeout(() => this.#tell(), this.#waitMs);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#byNamespace.clear();
    this.#listeners.clear();
  }

  #tell(): void {
    const began = performance.now();
    const concerned = this.#concerned ?? [...this.#byNamespace.keys()];
    this.#concerned = new Set();
    this.#timer = undefined;
    for (const namespace of concerned)
      for (const subscription of this.#byNamespace.get(namespace) ?? []) {
        const { pod, last, onChange } = subscription;
        const page = this.#pageOf(pod);
        subscription.last = page;
        if (!isSame(last, page)) this.#call(onChange);
      }
    for (const listener of this.#listeners) this.#call(listener);
    const tookMs = performance.now() - began;
    this.#waitMs = Math.min(WAIT_MS.most, Math.max(WAIT_MS.least, 2 * tookMs));
  }

  /** A mistake of one is no reason to tell nobody else. */
  #call(onChange: () => void): void {
    try {
      onChange();
    } catch (error) {
      this.#log("error", `telling of a change: ${(error as Error).stack}`);
    }
  }
}

function isSame(a: Page | undefined, b: Page | undefined): boolean {
  if (a === b) return true;
  return (
    a?.content?.revision === b?.content?.revision &&
    a?.closed?.revision === b?.closed?.revision &&
    a?.why === b?.why &&
    (a === undefined) === (b === undefined) &&
    isDeepStrictEqual(originsOf(a), originsOf(b))
  );
}

function originsOf(page: Page | undefined) {
  return page?.content?.origins ?? page?.closed?.origins;
}
