import type { TLSSocket } from "node:tls";
import { Wire } from "./wire.ts";

/** Over a socket of node:tls. What is cut there is cut by closing, without the alert that says it is complete. */
export class TlsWire extends Wire {
  readonly #socket: TLSSocket;
  #error: NodeJS.ErrnoException | undefined;
  #isPaused = false;

  /** `guard` does what the socket's events lead to. */
  constructor(socket: TLSSocket, guard: (act: () => void) => void) {
    super();
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.received += chunk.length;
      guard(() => this.user?.bytes(chunk));
    });
    socket.on("end", () => {
      // The error is what counts, and is told when it is closed.
      if (this.#error) return;
      this.hasEnded = true;
      guard(() => this.user?.ended());
    });
    socket.on("drain", () => guard(() => this.user?.drained()));
    socket.on("error", (error) => {
      this.#error = error;
      // After an alert it would stay half open.
      socket.destroy();
    });
    socket.on("close", () => {
      this.isGone = true;
      guard(() => this.user?.gone(this.#error));
    });
  }

  get isFull(): boolean {
    return this.#socket.writableNeedDrain;
  }

  protected get isWritten(): boolean {
    return this.#socket.writableLength === 0;
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  /** Copied into one: a record of TLS holds 16 KB, and what is read from a wire is read over. */
  protected write(parts: readonly (Buffer | string)[]): void {
    if (this.#socket.destroyed) return;
    const all = Buffer.allocUnsafe(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts)
      at += typeof part === "string" ? all.write(part, at, "latin1") : part.copy(all, at);
    this.#socket.write(all);
  }

  protected shutdown(): void {
    this.#socket.end();
  }

  protected destroy(): void {
    this.#socket.destroy();
  }
}
