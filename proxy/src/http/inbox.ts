import type { Fault } from "./message/fault.ts";
import { endOfHead, type HeadLimits } from "./message/head-end.ts";
import type { RequestHead } from "./message/message.ts";
import { readRequest } from "./message/request-head.ts";
import { headTooLong } from "./own-ending.ts";

const NOTHING = Buffer.alloc(0);

/** What an app has said and nobody has read yet. */
export class Inbox {
  readonly #limits: HeadLimits;
  #unread: Buffer = NOTHING;
  /** In memory of its own. */
  #isCopy = false;
  /** As far as was looked for the end of a head. */
  #searched = 0;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#unread.length;
  }

  add(chunk: Buffer): void {
    this.#isCopy = this.#unread.length > 0;
    this.#unread = this.#unread.length > 0 ? Buffer.concat([this.#unread, chunk]) : chunk;
  }

  /** What is here was read into memory that is used again: from now on it is a copy. */
  keep(): void {
    if (this.#unread.length > 0 && !this.#isCopy) this.#unread = Buffer.from(this.#unread);
    this.#isCopy = true;
  }

  /** All of it. */
  take(): Buffer {
    const unread = this.#unread;
    this.#unread = NOTHING;
    this.#searched = 0;
    return unread;
  }

  /** The head that comes first; undefined where it is not complete. */
  takeHead(): RequestHead | Fault | undefined {
    const unread = this.#unread;
    const end = unread.length > 0 ? endOfHead(unread, this.#searched) : -1;
    if (end < 0) {
      this.#searched = Math.max(0, unread.length - 3);
      return unread.length > this.#limits.bytes ? headTooLong(this.#limits.bytes) : undefined;
    }
    this.#unread = end < unread.length ? unread.subarray(end) : NOTHING;
    this.#searched = 0;
    return readRequest(unread.toString("latin1", 0, end), this.#limits);
  }
}
