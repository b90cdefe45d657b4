import type { Socket } from "node:net";
import type { Figures } from "./figures.ts";
import type { Limits } from "./limits.ts";

interface Stranger {
  readonly socket: Socket;
  readonly address: string;
  readonly sinceMs: number;
}

/** Connections that have not shown yet whose they are: bounded in number, of one address, and in time. */
export class Strangers {
  readonly #all = new Map<string, Stranger>();
  readonly #of = new Map<string, number>();
  readonly #limits: Limits;
  readonly #figures: Figures;

  constructor(limits: Limits, figures: Figures) {
    this.#limits = limits;
    this.#figures = figures;
  }

  get size(): number {
    return this.#all.size;
  }

  /** False: it is closed, without a word. */
  admit(socket: Socket): boolean {
    const address = socket.remoteAddress ?? "";
    const of = this.#of.get(address) ?? 0;
    const { strangers, strangersEach } = this.#limits;
    const full = this.#all.size >= strangers;
    if (full || of >= strangersEach) {
      this.#figures.refuse(full ? "too_many_strangers" : "too_many_of_address");
      socket.destroy();
      return false;
    }
    const key = keyOf(socket);
    this.#all.set(key, { socket, address, sinceMs: performance.now() });
    this.#of.set(address, of + 1);
    socket.once("close", () => this.#forget(key));
    return true;
  }

  /** No stranger any more: it has shown whose it is, or is gone. */
  known(socket: Socket): void {
    this.#forget(keyOf(socket));
  }

  #forget(key: string): void {
    const stranger = this.#all.get(key);
    if (!stranger) return;
    this.#all.delete(key);
    const of = (this.#of.get(stranger.address) ?? 1) - 1;
    if (of > 0) this.#of.set(stranger.address, of);
    else this.#of.delete(stranger.address);
  }

  look(nowMs: number): void {
    for (const { socket, sinceMs } of this.#all.values()) {
      // In the order in which they came.
      if (nowMs - sinceMs < this.#limits.strangerMs) return;
      this.#figures.refuse("too_slow");
      socket.destroy();
    }
  }

  close(): void {
    for (const { socket } of this.#all.values()) socket.destroy();
  }
}

/** Its address and port: the TLS socket above has the same. */
export const keyOf = ({ remoteAddress, remotePort }: Socket): string =>
  `${remoteAddress} ${remotePort}`;
