import { closeSync } from "node:fs";
import { addon, type NativeSockets } from "../../native/addon.ts";
import { errorName } from "../engine-news.ts";
import { Blocks } from "./backlog.ts";
import { NativeWire } from "./native-wire.ts";
import type { Wire } from "./wire.ts";

/** One read takes this much at most. */
const READ_BYTES = 262_144;
/** Pairs of an id and what epoll says of it, as many as one call tells of. */
const TOLD = 2 * 256;
const SLOT = (1 << 20) - 1;

/** The wires of one process, over proxy/native/sockets: what is read, of whichever of them, goes to the same memory. */
export class SocketSet {
  readonly #native: NativeSockets;
  readonly #memory = { read: Buffer.allocUnsafeSlow(READ_BYTES), blocks: new Blocks() };
  readonly #told = new Int32Array(TOLD);
  /** By the slot that an id begins with. */
  readonly #wires: (NativeWire | undefined)[] = [];
  readonly #onMistake: (error: unknown) => void;

  /**
   * `onMistake`: an error of our own code, thrown while a wire told of something; that wire has been reset, and the others
   * go on. Throws where the system has no room for it.
   */
  constructor(onMistake: (error: unknown) => void) {
    this.#onMistake = onMistake;
    const native = addon.sockets(this.#memory.read, this.#told, (count) => this.#happened(count));
    if (typeof native === "number") throw new Error(`cannot watch sockets: ${errorName(native)}`);
    this.#native = native;
  }

  /** Takes a connected socket over. Where it cannot be watched it is closed, and an Error is given. */
  open(fd: number): NativeWire | Error {
    const id = this.#native.add(fd);
    if (id < 0) {
      closeSync(fd);
      return new Error(`cannot watch a socket: ${errorName(-id)}`);
    }
    const wire: NativeWire = new NativeWire(id, this.#native, this.#memory, {
      closed: () => {
        this.#wires[id & SLOT] = undefined;
      },
      guard: (act) => this.guard(wire, act),
    });
    this.#wires[id & SLOT] = wire;
    return wire;
  }

  #happened(count: number): void {
    for (let i = 0; i < count; i++) {
      const id = this.#told[2 * i] ?? 0;
      const wire = this.#wires[id & SLOT];
      // Of one that was closed in the same batch nothing is told.
      if (wire?.id !== id) continue;
      try {
        wire.happened(this.#told[2 * i + 1] ?? 0);
      } catch (error) {
        this.#mistaken(wire, error);
      }
    }
  }

  /** Does it; a mistake of ours in it costs this wire, and no other. */
  guard(wire: Wire, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#mistaken(wire, error);
    }
  }

  #mistaken(wire: Wire, error: unknown): void {
    wire.reset();
    this.#onMistake(error);
  }
}
