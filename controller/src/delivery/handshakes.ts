import type { Socket } from "node:net";
import type { Figures } from "./figures.ts";
import type { Limits } from "./limits.ts";
import { keyOf } from "./strangers.ts";

interface Waiting {
  readonly socket: Socket;
  readonly sinceMs: number;
}

/**
 * TLS handshakes take turns. All at once, as after the loss of another replica, none would be done before its sidecar gives
 * up, and each holds much more than one that waits. Whoever is slow loses its turn and not its handshake, so that
 * nobody holds up the others.
 */
export class Handshakes {
  readonly #limits: Limits;
  readonly #figures: Figures;
  readonly #begin: (socket: Socket) => void;
  /** In the order in which they came; nothing of them is read yet. */
  readonly #waiting = new Map<string, Waiting>();
  /** Since when, by address and port. */
  readonly #underWay = new Map<string, number>();

  constructor(limits: Limits, figures: Figures, begin: (socket: Socket) => void) {
    this.#limits = limits;
    this.#figures = figures;
    this.#begin = begin;
  }

  add(socket: Socket): void {
    const key = keyOf(socket);
    this.#waiting.set(key, { socket, sinceMs: performance.now() });
    socket.once("close", () => {
      this.#waiting.delete(key);
      this.#done(key);
    });
    this.#next();
  }

  /** It has succeeded or failed. */
  done(socket: Socket): void {
    this.#done(keyOf(socket));
  }

  look(nowMs: number): void {
    for (const [key, sinceMs] of this.#underWay) {
      // In the order in which they began.
      if (nowMs - sinceMs < this.#limits.handshakeTurnMs) break;
      this.#underWay.delete(key);
    }
    this.#next();
  }

  #done(key: string): void {
    if (this.#underWay.delete(key)) this.#next();
  }

  #next(): void {
    for (const [key, { socket, sinceMs }] of this.#waiting) {
      if (this.#underWay.size >= this.#limits.handshakes) return;
      this.#waiting.delete(key);
      if (socket.destroyed) continue;
      const now = performance.now();
      // There is not enough time left to it: better it comes again, and the next one is done.
      if (now - sinceMs > this.#limits.handshakeWaitMs) {
        this.#figures.refuse("too_many_strangers");
        socket.destroy();
      } else {
        this.#underWay.set(key, now);
        this.#begin(socket);
      }
    }
  }
}
