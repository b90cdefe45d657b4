import type { Upstream } from "./upstream.ts";

export interface PoolLimits {
  /** Idle connections kept in all, and of one key. The oldest go first. */
  readonly total: number;
  readonly each: number;
  /** For how long one is kept. */
  readonly idleMs: number;
}

/**
 * Connections whose app has gone, kept for the next one that goes to the same place. What says anything while it is idle
 * is closed: nobody asked, so it could only be taken for the answer to somebody else's request (RFC 9112 §9.2).
 */
export class IdlePool {
  readonly #limits: PoolLimits;
  readonly #now: () => number;
  /** In the order of their coming, oldest first; the youngest of a key is taken first. */
  readonly #idleSince = new Map<Upstream, number>();
  readonly #byKey = new Map<string, Upstream[]>();

  constructor(limits: PoolLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  get size(): number {
    return this.#idleSince.size;
  }

  /** The youngest of this key. */
  take(key: string): Upstream | undefined {
    const upstream = this.#byKey.get(key)?.at(-1);
    if (!upstream) return undefined;
    this.#forget(upstream);
    upstream.wire.user = undefined;
    return upstream;
  }

  put(upstream: Upstream): void {
    const { wire, key } = upstream;
    const { total, each } = this.#limits;
    const isUnfit = wire.isGone || wire.hasEnded || !wire.isFlushed || upstream.bound;
    if (isUnfit || total === 0 || each === 0) {
      wire.reset();
      return;
    }
    const close = () => this.#drop(upstream);
    wire.user = { bytes: close, ended: close, drained: () => {}, gone: close };
    wire.resume();
    this.#idleSince.set(upstream, this.#now());
    const same = this.#byKey.get(key);
    if (same) same.push(upstream);
    else this.#byKey.set(key, [upstream]);
    const [oldestOfKey] = this.#byKey.get(key) ?? [];
    if (same && same.length > each && oldestOfKey) this.#drop(oldestOfKey);
    const [oldest] = this.#idleSince.keys();
    if (this.#idleSince.size > total && oldest) this.#drop(oldest);
  }

  /** Closes what has been idle for too long. */
  sweep(): void {
    const since = this.#now() - this.#limits.idleMs;
    for (const [upstream, sinceMs] of this.#idleSince) {
      if (sinceMs > since) return;
      this.#drop(upstream);
    }
  }

  clear(): void {
    for (const upstream of [...this.#idleSince.keys()]) this.#drop(upstream);
  }

  #drop(upstream: Upstream): void {
    this.#forget(upstream);
    upstream.wire.user = undefined;
    upstream.wire.close();
  }

  #forget(upstream: Upstream): void {
    this.#idleSince.delete(upstream);
    const same = this.#byKey.get(upstream.key) ?? [];
    const left = same.filter((one) => one !== upstream);
    if (left.length > 0) this.#byKey.set(upstream.key, left);
    else this.#byKey.delete(upstream.key);
  }
}
