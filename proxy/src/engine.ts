import { getSystemErrorMap } from "node:util";
import type { Side } from "@sallyport/core/record";
import { addon, type NativeEngine, type NativeHandlers } from "../native/addon.ts";

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** A connection that waits for a verdict: all that the rest of the sidecar knows of how it came in. */
export interface Inbound {
  /** For the verdict; meaningless once the connection has finished, and 0 where it is over the limit. */
  readonly id: number;
  readonly source: Endpoint;
  /** What the app dialled. */
  readonly destination: Endpoint;
  /** Made to the listener itself, or by the sidecar itself. */
  readonly own: boolean;
  /** Has been reset already: as many as may be open are. */
  readonly overLimit: boolean;
  /** Why the kernel could not say where it was going: `ENOPROTOOPT` and its like. */
  readonly error?: string;
}

/** In the order of `enum ending` in messages.h. */
const HOW = ["end", "reset", "refused", "failed", "timeout", "closed"] as const;
/** In the order of `enum side` in messages.h. */
const BY: readonly Side[] = ["app", "upstream", "sidecar"];

/** How a connection ended, told once for each that waited for a verdict. */
export interface Finished {
  readonly sent: number;
  readonly received: number;
  /** Until the destination answered; undefined where it never did. */
  readonly connectMs?: number;
  readonly totalMs: number;
  /** Which of the verdict's addresses was dialled last; undefined where none was. */
  readonly dialled?: number;
  readonly by: Side;
  readonly how: (typeof HOW)[number];
  readonly error?: string;
}

export interface EngineHandlers {
  accepted(inbound: Inbound): void;
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

/** What an app has said so far, still unread; `ended` when it will say no more, `timedOut` when the wait is over. */
export interface Head {
  readonly bytes: Buffer;
  readonly ended: boolean;
  readonly timedOut: boolean;
}

export type LiveBytes = ReadonlyMap<number, { readonly sent: number; readonly received: number }>;

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
  readonly #native: NativeEngine;
  readonly #stopped = Promise.withResolvers<void>();
  readonly #heads = new Map<number, (head: Head | undefined) => void>();
  readonly #releases = new Map<number, (fd: number | undefined) => void>();
  #live = new Map<number, { sent: number; received: number }>();
  #reports: ((live: LiveBytes) => void)[] = [];

  /** Listens at once, on one address of each family at most. Throws EngineError. */
  constructor(listen: readonly Endpoint[], limits: EngineLimits, handlers: EngineHandlers) {
    const native = addon.start(
      listen.map(({ address, port }) => [address, port] as const),
      false,
      this.#nativeHandlers(handlers),
    );
    if (typeof native === "number") throw new EngineError(native);
    this.#native = native;
    this.limit(limits);
  }

  /** In the order of the addresses listened on. */
  get ports(): readonly number[] {
    return this.#native.ports;
  }

  /**
   * Waits until the app has said more than `moreThan` bytes, has ended, or `waitMs` are over, and shows all it has said,
   * 64 KiB at most, without taking it: the verdict is still to come. Undefined when the connection is gone.
   */
  peek(id: number, moreThan: number, waitMs: number): Promise<Head | undefined> {
    return new Promise((resolve) => {
      this.#heads.set(id, resolve);
      this.#native.peek(id, moreThan, waitMs);
    });
  }

  /** The app's socket as a descriptor, untouched; undefined when the connection is gone. It is the caller's to close. */
  release(id: number): Promise<number | undefined> {
    return new Promise((resolve) => {
      this.#releases.set(id, resolve);
      this.#native.release(id);
    });
  }

  /** Dials the addresses one after the other, each for `connectMs`, and relays. */
  relay(id: number, addresses: readonly string[], port: number, connectMs: number): void {
    this.#native.relay(id, connectMs, port, ...addresses);
  }

  /** Resets the app's connection, or gives it `answer` and then closes. */
  refuse(id: number, answer?: Buffer): void {
    if (answer) this.#native.refuse(id, answer);
    else this.#native.refuse(id);
  }

  /** Resets both sides. */
  close(id: number): void {
    this.#native.close(id);
  }

  /** Resets both sides of all that are open. */
  closeAll(): void {
    this.#native.closeAll();
  }

  /** New connections wait in the kernel's backlog until `resume`. */
  pause(): void {
    this.#native.pause();
  }

  resume(): void {
    this.#native.resume();
  }

  limit(limits: EngineLimits): void {
    const { connections, verdictMs, idleMs, halfClosedMs, keepaliveSeconds } = limits;
    this.#native.limit(connections, verdictMs, idleMs, halfClosedMs, keepaliveSeconds);
  }

  /** What each open connection has moved so far. */
  report(): Promise<LiveBytes> {
    return new Promise((resolve) => {
      this.#reports.push(resolve);
      this.#native.report();
    });
  }

  /** Resets what is open and ends the thread. */
  stop(): Promise<void> {
    this.#native.stop();
    return this.#stopped.promise;
  }

  #gone(id: number): void {
    take(this.#heads, id)?.(undefined);
    take(this.#releases, id)?.(undefined);
  }

  #nativeHandlers({ accepted, finished, accepting }: EngineHandlers): NativeHandlers {
    return {
      accepted: (id, sourceAddress, sourcePort, address, port, own, overLimit, errno) =>
        accepted({
          id,
          source: { address: sourceAddress, port: sourcePort },
          destination: { address, port },
          own,
          overLimit,
          ...(errno && { error: errorName(errno) }),
        }),
      head: (id, bytes, ended, timedOut) => take(this.#heads, id)?.({ bytes, ended, timedOut }),
      released: (id, fd) => take(this.#releases, id)?.(fd),
      gone: (id) => this.#gone(id),
      finished: (id, sent, received, connectUs, totalUs, address, by, how, errno) => {
        this.#gone(id);
        finished(id, {
          sent,
          received,
          ...(connectUs && { connectMs: connectUs / 1_000 }),
          totalMs: totalUs / 1_000,
          ...(address >= 0 && { dialled: address }),
          by: BY[by] ?? "sidecar",
          how: HOW[how] ?? "failed",
          ...(errno && { error: errorName(errno) }),
        });
      },
      live: (id, sent, received) => this.#live.set(id, { sent, received }),
      reported: () => {
        const live = this.#live;
        this.#live = new Map();
        this.#reports.shift()?.(live);
      },
      accepting: (paused, errno) => accepting(paused, errno ? errorName(errno) : ""),
      stopped: () => {
        for (const resolve of this.#reports.splice(0)) resolve(new Map());
        this.#stopped.resolve();
      },
    };
  }
}

function take<T>(from: Map<number, T>, id: number): T | undefined {
  const found = from.get(id);
  from.delete(id);
  return found;
}

function errorName(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[0] ?? `errno ${errno}`;
}
