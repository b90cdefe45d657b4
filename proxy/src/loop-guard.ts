import type { Socket } from "node:net";
import type { Endpoint } from "./original-destination.ts";

/**
 * Knows a connection that the sidecar made to itself. When the redirect does not spare the sidecar's own traffic, what
 * it dials comes back to its listener: one connection seen from both ends, whose local end on one side is the remote end
 * on the other. The kernel may report either first, so both sides ask.
 */
export class LoopGuard {
  readonly #dialled = new Set<string>();
  readonly #accepted = new Map<string, () => void>();

  /** True if the connection from `source` is one of ours; otherwise `onLoop` is called should it turn out to be. */
  accepted(source: Endpoint, onLoop: () => void): boolean {
    const key = keyOf(source.address, source.port);
    if (this.#dialled.has(key)) return true;
    this.#accepted.set(key, onLoop);
    return false;
  }

  closed(source: Endpoint): void {
    this.#accepted.delete(keyOf(source.address, source.port));
  }

  /** True if the connected socket leads back here. */
  dialled(socket: Socket): boolean {
    const key = keyOf(socket.localAddress, socket.localPort);
    this.#dialled.add(key);
    socket.once("close", () => this.#dialled.delete(key));
    const onLoop = this.#accepted.get(key);
    onLoop?.();
    return onLoop !== undefined;
  }
}

function keyOf(address = "", port = 0): string {
  return `${address} ${port}`;
}
