import { type Answer, isNone, type Reply } from "./answer.ts";
import type { Known } from "./answer-cache.ts";
import { type Limits, lifetimeMs } from "./limits.ts";

interface Kept {
  /** What was last learned: addresses, or that there are none. */
  last?: Known;
  /** The newest reply, if nothing was learned from it. */
  failed?: Known;
  /** Every address lately answered, and until when it counts. */
  readonly seen: Map<string, number>;
  /** When the newest reply came. */
  toldMs: number;
  /** When to ask (again); never while it is being asked. */
  dueMs: number;
  failures: number;
}

/**
 * The names that are resolved ahead of need, and what each has been answered with: servers that take turns give a
 * different part of a name's addresses each time, so what counts is the union of what was answered within TTL plus grace.
 * That grace also covers the moment between the end of a TTL and the next answer: to ask earlier would fetch from a cache
 * on the way only the rest of what is already known.
 */
export class KeptNames {
  readonly #limits: Limits;
  readonly #kept = new Map<string, Kept>();
  /** The other way round. */
  readonly #names = new Map<string, Set<string>>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Remembered of all of them. */
  get addresses(): number {
    return this.#names.size;
  }

  /** How many of them nothing is known of now. */
  unknown(nowMs: number): number {
    return [...this.#kept.keys()].filter((name) => !this.addressesOf(name, nowMs)).length;
  }

  has(name: string): boolean {
    return this.#kept.has(name);
  }

  /** Those that stay keep what is known of them; new ones are due at once. */
  keep(names: Iterable<string>): void {
    const wanted = new Set(names);
    for (const [name, { seen }] of this.#kept)
      if (!wanted.has(name)) {
        for (const address of seen.keys()) this.#forget(name, address);
        this.#kept.delete(name);
      }
    for (const name of wanted)
      if (!this.#kept.has(name))
        this.#kept.set(name, {
          seen: new Map(),
          toldMs: Number.NEGATIVE_INFINITY,
          dueMs: Number.NEGATIVE_INFINITY,
          failures: 0,
        });
  }

  /** `spread`, from 0 to 1, is how late within its spread the name is to be asked for again. */
  remember(name: string, reply: Reply, nowMs: number, spread: number): void {
    const kept = this.#kept.get(name);
    if (!kept) return;
    const { keptGraceMs, keptMinMs, keptSpreadMs, keptRetryMaxMs, keptMaxAddresses } = this.#limits;
    const lifeMs = lifetimeMs(reply, this.#limits);
    const untilMs = nowMs + lifeMs;
    const { addresses, failure } = reply;
    const error = addresses.length === 0 && failure ? { error: failure } : {};
    const known = { answer: { addresses, ...error }, untilMs };
    if (addresses.length > 0 || isNone(failure)) {
      kept.last = known;
      delete kept.failed;
    } else {
      kept.failed = known;
    }
    kept.toldMs = nowMs;
    kept.failures = addresses.length > 0 ? 0 : kept.failures + 1;
    const waitMs =
      kept.failures === 0
        ? Math.max(lifeMs, keptMinMs)
        : Math.min(lifeMs * 2 ** (kept.failures - 1), keptRetryMaxMs);
    kept.dueMs = nowMs + waitMs + spread * keptSpreadMs;

    for (const [address, lastMs] of kept.seen) if (lastMs <= nowMs) this.#drop(name, kept, address);
    for (const address of addresses) {
      kept.seen.set(address, Math.max(kept.seen.get(address) ?? 0, untilMs + keptGraceMs));
      const names = this.#names.get(address) ?? new Set();
      this.#names.set(address, names.add(name));
    }
    const excess = kept.seen.size - keptMaxAddresses;
    if (excess <= 0) return;
    const soonestOver = [...kept.seen].sort(([, a], [, b]) => a - b).slice(0, excess);
    for (const [address] of soonestOver) this.#drop(name, kept, address);
  }

  /** What needs no question now; for want of an answer, the last addresses within their grace. */
  fresh(name: string, nowMs: number): Answer | undefined {
    const { last, failed } = this.#kept.get(name) ?? {};
    if (last && last.untilMs > nowMs) return last.answer;
    if (!failed || failed.untilMs <= nowMs) return undefined;
    return { ...failed.answer, addresses: this.addressesOf(name, nowMs) ?? [] };
  }

  /** What was told of it in the last moment, where that was an answer. */
  justLearned(name: string, nowMs: number): Answer | undefined {
    const { last, toldMs = 0 } = this.#kept.get(name) ?? {};
    return nowMs - toldMs < this.#limits.refreshMs ? last?.answer : undefined;
  }

  /** The last addresses, within their grace; none, where that is what was last learned; undefined where nothing is known. */
  addressesOf(name: string, nowMs: number): readonly string[] | undefined {
    const last = this.#kept.get(name)?.last;
    if (!last) return undefined;
    const graceMs = last.answer.addresses.length > 0 ? this.#limits.keptGraceMs : 0;
    return last.untilMs + graceMs > nowMs ? last.answer.addresses : undefined;
  }

  namesOf(address: string, nowMs: number): readonly string[] {
    const names = this.#names.get(address);
    if (!names) return [];
    return [...names].filter((name) => (this.#kept.get(name)?.seen.get(address) ?? 0) > nowMs);
  }

  /** At most so many names whose time has come; their time then comes when they are remembered. */
  due(nowMs: number, most: number): string[] {
    const due: string[] = [];
    for (const [name, kept] of this.#kept) {
      if (due.length >= most) break;
      if (kept.dueMs > nowMs) continue;
      kept.dueMs = Number.POSITIVE_INFINITY;
      due.push(name);
    }
    return due;
  }

  /** What is known stays, but is asked for anew: the servers are others. */
  askAgain(): void {
    for (const kept of this.#kept.values()) {
      kept.dueMs = Number.NEGATIVE_INFINITY;
      kept.failures = 0;
    }
  }

  #drop(name: string, kept: Kept, address: string): void {
    kept.seen.delete(address);
    this.#forget(name, address);
  }

  #forget(name: string, address: string): void {
    const names = this.#names.get(address);
    names?.delete(name);
    if (names?.size === 0) this.#names.delete(address);
  }
}
