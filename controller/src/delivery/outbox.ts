import type { Writable } from "node:stream";

/** Of a line, this much is given to the socket at a time: what a sidecar does not read is not encrypted for it either. */
const PIECE_BYTES = 64 << 10;

/** One line at a time, by reference and in pieces: a sidecar that does not read costs a piece, and no queue. */
export class Outbox {
  /** By `performance.now()`: when the socket last took something. */
  progressMs = performance.now();
  readonly #socket: Writable;
  readonly #onSent: () => void;
  #rest: Buffer[] = [];
  #busy = false;

  constructor(socket: Writable, onSent: () => void) {
    this.#socket = socket;
    this.#onSent = onSent;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Only while it is not busy; the parts of one line. */
  send(...line: Buffer[]): void {
    this.#rest = line;
    this.#busy = true;
    this.progressMs = performance.now();
    this.#next();
  }

  /** A piece may be of several parts: together they are one write, and one TLS record where that holds them. */
  #next(): void {
    this.#socket.cork();
    let room = PIECE_BYTES;
    let isLast = false;
    while (!isLast) {
      const [part = Buffer.alloc(0), ...others] = this.#rest;
      const piece = part.subarray(0, room);
      room -= piece.length;
      this.#rest = part.length > piece.length ? [part.subarray(piece.length), ...others] : others;
      isLast = room === 0 || this.#rest.length === 0;
      this.#socket.write(piece, isLast ? this.#written : undefined);
    }
    this.#socket.uncork();
  }

  readonly #written = (error?: Error | null) => {
    // The socket's own end is told elsewhere.
    if (error) return;
    this.progressMs = performance.now();
    if (this.#rest.length > 0) return this.#next();
    this.#busy = false;
    this.#onSent();
  };
}
