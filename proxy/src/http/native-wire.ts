import type { NativeSockets } from "../../native/addon.ts";
import { errorName } from "../engine-news.ts";
import { Backlog, type Blocks } from "./backlog.ts";
import { HIGH_WATER_BYTES, Wire } from "./wire.ts";

/** epoll_ctl(2): what one of a pair of `told` is made of. */
const EPOLLIN = 0x001;
const EPOLLOUT = 0x004;
const EPOLLERR = 0x008;
const ENDING = 0x2018; // EPOLLERR, EPOLLHUP, EPOLLRDHUP
const EAGAIN = -11;

/** As much as one wire reads before the others have their turn. */
const TURN_BYTES = 1_048_576;
/** Of one write: parts, and characters of texts (proxy/native/sockets). */
const MAX_PARTS = 16;
const MAX_TEXT = 100_000;

/** Shared by all wires of a set. */
export interface Memory {
  /** What is read goes here. */
  readonly read: Buffer;
  readonly blocks: Blocks;
}

/** Whose wire it is. */
export interface Keeper {
  closed(): void;
  /** Does what is not done while the set tells of something. */
  guard(act: () => void): void;
}

/** Over a connected TCP socket of a SocketSet: read and written at once, without a stream in between. */
export class NativeWire extends Wire {
  readonly id: number;
  readonly #sockets: NativeSockets;
  readonly #memory: Buffer;
  readonly #keeper: Keeper;
  readonly #backlog: Backlog;
  #error: NodeJS.ErrnoException | undefined;
  #isReadable = false;
  #isEnding = false;
  #isPaused = false;
  #isReading = false;
  #isShut = false;
  #isClosed = false;
  /** To be shut down once nothing waits. */
  #isLast = false;

  constructor(id: number, sockets: NativeSockets, memory: Memory, keeper: Keeper) {
    super();
    this.id = id;
    this.#sockets = sockets;
    this.#memory = memory.read;
    this.#backlog = new Backlog(memory.blocks);
    this.#keeper = keeper;
  }

  get isFull(): boolean {
    return this.#backlog.length >= HIGH_WATER_BYTES;
  }

  protected get isWritten(): boolean {
    return this.#backlog.length === 0;
  }

  pause(): void {
    // What has failed is read to its end, which is then told.
    this.#isPaused = this.#error === undefined;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#readSoon();
  }

  /** What epoll has told of it. */
  happened(events: number): void {
    if (events & EPOLLOUT) this.#writeWaiting();
    if (events & ENDING) this.#isEnding = true;
    if (events & (EPOLLIN | ENDING)) {
      this.#isReadable = true;
      if (this.#isPaused && events & EPOLLERR) this.user?.broken?.();
      this.#read();
    }
  }

  protected write(parts: readonly (Buffer | string)[]): void {
    if (this.#isClosed || this.#error) return;
    if (this.#backlog.length > 0 || parts.length > MAX_PARTS || textOf(parts) > MAX_TEXT) {
      this.#backlog.add(parts, 0);
      this.#writeWaiting();
      return;
    }
    const written = this.#sockets.write(this.id, parts);
    if (written < 0 && written !== EAGAIN) this.#fail(written);
    else this.#backlog.add(parts, Math.max(0, written));
  }

  protected shutdown(): void {
    this.#isLast = true;
    if (this.#isClosed || this.#isShut || this.#backlog.length > 0) return;
    this.#isShut = true;
    this.#sockets.shutdown(this.id);
    if (this.hasEnded) this.#close(false);
  }

  protected destroy(isReset: boolean): void {
    this.#close(isReset);
  }

  #writeWaiting(): void {
    if (this.#backlog.length === 0) return;
    while (this.#backlog.length > 0) {
      const written = this.#sockets.write(this.id, this.#backlog.first(MAX_PARTS));
      if (written === EAGAIN) return;
      if (written < 0) {
        this.#fail(written);
        return;
      }
      this.#backlog.written(written);
    }
    if (this.#isLast) this.shutdown();
    else this.user?.drained();
  }

  #read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    let left = TURN_BYTES;
    while (this.#isReadable && !this.#isPaused && !this.#isClosed) {
      if (left <= 0) {
        this.#readSoon();
        break;
      }
      const length = this.#sockets.read(this.id);
      if (length > 0) {
        left -= length;
        this.received += length;
        // epoll(7): less than was asked for is all there is; an end comes with an event of its own, or has come.
        this.#isReadable = length === this.#memory.length || this.#isEnding;
        this.user?.bytes(
          length === this.#memory.length ? this.#memory : this.#memory.subarray(0, length),
        );
      } else if (length === EAGAIN && !this.#error) this.#isReadable = false;
      else if (length < 0) this.#close(false, this.#error ?? errnoError(length));
      else this.#ended();
    }
    this.#isReading = false;
  }

  #ended(): void {
    this.#isReadable = false;
    if (this.#error) {
      this.#close(false, this.#error);
      return;
    }
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.user?.ended();
    if (this.#isShut) this.#close(false);
  }

  /** Later, when whoever asked has finished. */
  #readSoon(): void {
    if (this.#isReadable) setImmediate(() => this.#keeper.guard(() => this.#read()));
  }

  /** It takes nothing more. What it has said before is still read: it may be the answer that explains it. */
  #fail(errno: number): void {
    this.#error ??= errnoError(errno);
    this.#backlog.clear();
    this.#isReadable = this.#isEnding = true;
    if (this.hasEnded || this.#isPaused) this.#close(false, this.#error);
    else this.#readSoon();
  }

  #close(isReset: boolean, error?: NodeJS.ErrnoException): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#keeper.closed();
    this.#backlog.clear();
    this.#sockets.close(this.id, isReset);
    queueMicrotask(() => {
      this.isGone = true;
      this.#keeper.guard(() => this.user?.gone(error));
    });
  }
}

function textOf(parts: readonly (Buffer | string)[]): number {
  return parts.reduce((sum, part) => sum + (typeof part === "string" ? part.length : 0), 0);
}

function errnoError(errno: number): NodeJS.ErrnoException {
  const code = errorName(-errno);
  return Object.assign(new Error(code), { code, errno });
}
