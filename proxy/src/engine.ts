import { addon, type NativeEngine, type NativeHandlers } from "../native/addon.ts";
import { Asked } from "./engine-asked.ts";
import {
  type Dialled,
  dialledOf,
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

export type { Dialled, Endpoint, Finished, Head, Inbound, Live };

/** The most addresses that one dial tries, as in messages.h: those after them are left out. */
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
 * The native data path. Every connection is `accepted` once, waits for a verdict (`relay`, `refuse` or `release`), and is
 * `finished` once. Verdicts on connections that are gone do nothing, and questions about them are answered by undefined.
 */
export class Engine {
  readonly #natives: NativeEngine[] = [];
  readonly #threads: number;
  readonly #stopped = Promise.withResolvers<void>();
  readonly #heads = new Asked<Head>();
  readonly #releases = new Asked<number>();
  readonly #dials = new Asked<Dialled>();
  readonly #asked = [this.#heads, this.#releases, this.#dials];
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
   * 64 KiB at most, without taking it: the verdict is still to come.
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

  /**
   * The app's socket as a descriptor, untouched: the caller's to close. The connection is held from now on: it counts as
   * open, without a time limit, until `close`.
   */
  release(id: number): Promise<number | undefined> {
    return this.#ask(id, this.#releases, () => this.#native(id).release(this.#nativeId(id)));
  }

  /**
   * For a connection that is held, or that `release` was just asked for: dials as `relay` does, and gives what has
   * connected. One at a time: a second while one is under way gives undefined.
   */
  dial(
    id: number,
    addresses: readonly string[],
    port: number,
    connectMs: number,
  ): Promise<Dialled | undefined> {
    const tried = addresses.slice(0, MAX_ADDRESSES);
    return this.#ask(id, this.#dials, () =>
      this.#native(id).dial(this.#nativeId(id), connectMs, port, ...tried),
    );
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

  /**
   * Resets both sides; of a connection that is held, what is under way. Its descriptors are the caller's, but for those
   * that are on their way: nobody gets them, and they are reset too.
   */
  close(id: number): void {
    this.#gone(id);
    this.#native(id).close(this.#nativeId(id));
  }

  /** The same for all that are open. */
  closeAll(): void {
    this.#allGone();
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

  /** What each open connection has moved so far: of one that is held, nothing. */
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
    this.#allGone();
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

  #ask<Answer>(id: number, asked: Asked<Answer>, send: () => void): Promise<Answer | undefined> {
    if (this.#ended.has(id % this.#threads)) return Promise.resolve(undefined);
    return asked.ask(id, send);
  }

  #gone(id: number): void {
    for (const asked of this.#asked) asked.answer(id, undefined);
  }

  #allGone(isMeant: (id: number) => boolean = () => true): void {
    for (const { ids } of this.#asked) for (const id of ids.filter(isMeant)) this.#gone(id);
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
      head: (id, ...told) => void this.#heads.answer(global(id), headOf(...told)),
      said: (id, bytes) => said?.(global(id), bytes),
      released: (id, fd) => this.#releases.answer(global(id), fd),
      dialled: (id, ...told) => this.#dials.answer(global(id), dialledOf(...told)),
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
        this.#allGone((id) => id % this.#threads === thread);
        if (this.#ended.size === this.#natives.length) this.#stopped.resolve();
      },
    };
  }
}
