import { addon, type NativeEngine, type NativeHandlers } from "../native/addon.ts";
import {
  type Endpoint,
  errorName,
  type Finished,
  finishedOf,
  type Head,
  headOf,
  type Inbound,
  inboundOf,
  type Live,
  liveOf,
} from "./engine-news.ts";

export type { Endpoint, Finished, Head, Inbound, Live };

/** The most addresses that one verdict can have tried, as in messages.h: those after them are left out. */
export const MAX_ADDRESSES = 8;

export interface EngineHandlers {
  accepted(inbound: Inbound): void;
  /** What the app said first, 16 KiB of it at most, already on its way upstream: where `relay` was told to show it. */
  said?(id: number, bytes: Buffer): void;
  finished(id: number, end: Finished): void;
  /** Descriptors have run out (`error` says of what kind), or are free again. */
  accepting(paused: boolean, error: string): void;
}

export interface EngineLimits {
  readonly connections: number;
  readonly verdictMs: number;
  readonly idleMs: number;
  readonly halfClosedMs: number;
  readonly keepaliveSeconds: number;
}

export type LiveBytes = ReadonlyMap<number, Live>;

/** What a thread has told of its connections so far, and who waits for it, in the order in which they asked. */
interface Report {
  live: Map<number, Live>;
  readonly waiting: ((live: LiveBytes) => void)[];
}

/** Who waits for an answer about a connection: undefined when it is gone. */
type Waiting<T> = Map<number, (answer: T | undefined) => void>;

/** Listening failed; `code` is the system's. */
export class EngineError extends Error {
  readonly code: string;
  constructor(errno: number) {
    const code = errorName(errno);
    super(`cannot listen: ${code}`);
    this.code = code;
  }
}

/**
 * The native data path. Every connection is `accepted` once, waits for a verdict (`relay` or `refuse`), and is `finished`
 * once. Verdicts on connections that are gone do nothing.
 */
export class Engine {
  readonly #natives: NativeEngine[] = [];
  readonly #threads: number;
  readonly #stopped = Promise.withResolvers<void>();
  readonly #heads: Waiting<Head> = new Map();
  readonly #releases: Waiting<number> = new Map();
  readonly #reports: Report[] = [];
  /** Threads that are no more. */
  readonly #ended = new Set<number>();

  /**
   * Listens at once, on one address of each family at most. Each thread has listeners of its own for the same ports, and
   * the kernel deals connections out to them (SO_REUSEPORT, socket(7)). Throws EngineError.
   */
  constructor(
    listen: readonly Endpoint[],
    limits: EngineLimits,
    handlers: EngineHandlers,
    threads = 1,
  ) {
    this.#threads = threads;
    for (let thread = 0; thread < threads; thread++) {
      const ports = this.#natives[0]?.ports;
      const native = addon.start(
        listen.map(({ address, port }, i) => [address, ports?.[i] ?? port] as const),
        threads > 1,
        this.#nativeHandlers(handlers, thread),
      );
      if (typeof native === "number") {
        for (const started of this.#natives) started.stop();
        throw new EngineError(native);
      }
      this.#natives.push(native);
    }
    this.limit(limits);
  }

  /** In the order of the addresses listened on. */
  get ports(): readonly number[] {
    return this.#natives[0]?.ports ?? [];
  }

  /**
   * Waits until the app has said more than `moreThan` bytes, has ended, or `waitMs` are over, and shows all it has said,
   * 64 KiB at most, without taking it: the verdict is still to come. Undefined when the connection is gone.
   */
  peek(id: number, moreThan: number, waitMs: number): Promise<Head | undefined> {
    return this.#ask(id, this.#heads, () =>
      this.#native(id).peek(this.#nativeId(id), moreThan, waitMs),
    );
  }

  /**
   * From now on a connection to one of these ports is told of together with its `head`: when the app has said something
   * or has ended, or `waitMs` after it came. It spares a verdict that needs the first bytes a second trip; what needs
   * none waits too, so it is for ports where apps speak first, and for a wait nobody feels.
   */
  peekFirst(
    ranges: Iterable<{ readonly first: number; readonly last: number }>,
    waitMs: number,
  ): void {
    const ports = Buffer.alloc(65_536 / 8);
    for (const { first, last } of ranges)
      for (let port = first; port <= last; port++)
        ports[port >> 3] = (ports[port >> 3] ?? 0) | (1 << (port & 7));
    for (const native of this.#natives) native.peekFirst(waitMs, ports);
  }

  /** The app's socket as a descriptor, untouched; undefined when the connection is gone. It is the caller's to close. */
  release(id: number): Promise<number | undefined> {
    return this.#ask(id, this.#releases, () => this.#native(id).release(this.#nativeId(id)));
  }

  /**
   * Dials the addresses as RFC 8305 §5 has it, each for `connectMs`, and relays to the first that connects. More than
   * MAX_ADDRESSES are not tried. With `show`, what the app says first is also `said` to the handlers; nothing waits for it.
   */
  relay(
    id: number,
    addresses: readonly string[],
    port: number,
    connectMs: number,
    show = false,
  ): void {
    const tried = addresses.slice(0, MAX_ADDRESSES);
    this.#native(id).relay(this.#nativeId(id), connectMs, show, port, ...tried);
  }

  /** Resets the app's connection, or gives it `answer` and then closes. */
  refuse(id: number, answer?: Buffer): void {
    if (answer) this.#native(id).refuse(this.#nativeId(id), answer);
    else this.#native(id).refuse(this.#nativeId(id));
  }

  /** Resets both sides. */
  close(id: number): void {
    this.#native(id).close(this.#nativeId(id));
  }

  /** Resets both sides of all that are open. */
  closeAll(): void {
    for (const native of this.#natives) native.closeAll();
  }

  /** New connections wait in the kernel's backlog until `resume`. */
  pause(): void {
    for (const native of this.#natives) native.pause();
  }

  resume(): void {
    for (const native of this.#natives) native.resume();
  }

  limit(limits: EngineLimits): void {
    const { connections, verdictMs, idleMs, halfClosedMs, keepaliveSeconds } = limits;
    const each = Math.ceil(connections / this.#threads);
    for (const native of this.#natives)
      native.limit(each, verdictMs, idleMs, halfClosedMs, keepaliveSeconds);
  }

  /** What each open connection has moved so far. */
  async report(): Promise<LiveBytes> {
    const reports = this.#natives.map(
      (native, thread) =>
        new Promise<LiveBytes>((resolve) => {
          if (this.#ended.has(thread)) return resolve(new Map());
          this.#reports[thread]?.waiting.push(resolve);
          native.report();
        }),
    );
    return new Map((await Promise.all(reports)).flatMap((report) => [...report]));
  }

  /** Resets what is open and ends the threads. */
  stop(): Promise<void> {
    for (const native of this.#natives) native.stop();
    return this.#stopped.promise;
  }

  #native(id: number): NativeEngine {
    const native = this.#natives[id % this.#threads];
    if (!native) throw new RangeError(`no connection has the id ${id}`);
    return native;
  }

  #nativeId(id: number): number {
    return Math.floor(id / this.#threads);
  }

  /** Undefined where there is nobody to answer, or one answer is waited for already. */
  #ask<T>(id: number, waiting: Waiting<T>, ask: () => void): Promise<T | undefined> {
    if (this.#ended.has(id % this.#threads) || waiting.has(id)) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      ask();
      waiting.set(id, resolve);
    });
  }

  #gone(id: number): void {
    take(this.#heads, id)?.(undefined);
    take(this.#releases, id)?.(undefined);
  }

  /** A thread's own ids are spread over all numbers, so that one tells which thread has it. */
  #nativeHandlers(
    { accepted, said, finished, accepting }: EngineHandlers,
    thread: number,
  ): NativeHandlers {
    const global = (id: number) => id * this.#threads + thread;
    const report: Report = { live: new Map(), waiting: [] };
    this.#reports[thread] = report;
    return {
      accepted: (id, ...told) => accepted(inboundOf(global(id), ...told)),
      head: (id, ...told) => take(this.#heads, global(id))?.(headOf(...told)),
      said: (id, bytes) => said?.(global(id), bytes),
      released: (id, fd) => {
        const resolve = take(this.#releases, global(id));
        resolve?.(fd);
        return resolve !== undefined;
      },
      gone: (id) => this.#gone(global(id)),
      finished: (id, ...told) => {
        this.#gone(global(id));
        finished(global(id), finishedOf(...told));
      },
      live: (id, ...told) => report.live.set(global(id), liveOf(...told)),
      reported: () => {
        const { live } = report;
        report.live = new Map();
        report.waiting.shift()?.(live);
      },
      // After everything else that waits for this turn of the loop: a flood of connections must not starve it.
      delivered: () => void setImmediate(() => this.#natives[thread]?.rearm()),
      accepting: (paused, errno) => accepting(paused, errno ? errorName(errno) : ""),
      stopped: () => {
        this.#ended.add(thread);
        for (const resolve of report.waiting.splice(0)) resolve(new Map());
        for (const id of [...this.#heads.keys(), ...this.#releases.keys()])
          if (id % this.#threads === thread) this.#gone(id);
        if (this.#ended.size === this.#natives.length) this.#stopped.resolve();
      },
    };
  }
}

function take<T>(from: Map<number, T>, id: number): T | undefined {
  const found = from.get(id);
  from.delete(id);
  return found;
}
