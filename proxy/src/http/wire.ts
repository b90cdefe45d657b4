import { Socket } from "node:net";

/** Whoever has the word over a socket at the moment. */
export interface WireUser {
  /** What has come. True where nothing of it is needed any more: then its memory takes what comes next. */
  bytes(chunk: Buffer): boolean;
  /** The other side will say no more. */
  ended(): void;
  /** What was sent has gone out: there is room again. */
  drained(): void;
  /** Closed for good; with an error, where it was not by both sides' will. */
  gone(error: NodeJS.ErrnoException | undefined): void;
}

/** One part of what is gathered is copied together with others up to this size: one system call instead of several. */
const COPY_BYTES = 16_384;
/** What is read at once: little, for most messages are, until a read has filled it. */
const READ_BYTES = { first: 8_192, most: 65_536 } as const;

/**
 * A socket, and what waits to be written to it in one go: parts that lie one behind the other in memory, as a head and
 * its body do when they came in one piece, go on as one.
 */
export class Wire {
  readonly socket: Socket;
  user: WireUser | undefined;
  sent = 0;
  received = 0;
  /** The other side has said its last byte. */
  hasEnded = false;
  isGone = false;
  readonly #reset: () => void;
  #gathered: (Buffer | string)[] = [];
  #error: NodeJS.ErrnoException | undefined;
  #paused = false;

  private constructor(socket: Socket, reset: () => void) {
    this.socket = socket;
    this.#reset = reset;
    socket.on("end", () => {
      // The error is what counts, and is told when it is closed.
      if (this.#error) return;
      this.hasEnded = true;
      this.user?.ended();
    });
    socket.on("drain", () => this.user?.drained());
    socket.on("error", (error) => {
      this.#error = error;
      // After an alert a TLS socket would stay half open.
      socket.destroy();
    });
    socket.on("close", () => {
      this.isGone = true;
      this.user?.gone(this.#error);
    });
  }

  /** Over a connected TCP socket. It reads into memory of its own over and over, where Node would allocate for each read. */
  static of(fd: number): Wire {
    let memory = Buffer.allocUnsafeSlow(READ_BYTES.first);
    let isFree = true;
    let isSmall = false;
    const socket: Socket = new Socket({
      ...{ fd, allowHalfOpen: true, readable: true, writable: true },
      onread: {
        // Asked for before each read.
        buffer: () => {
          if (!isFree || isSmall)
            memory = Buffer.allocUnsafeSlow(isSmall ? READ_BYTES.most : memory.length);
          return memory;
        },
        callback: (length) => {
          isSmall = length === memory.length && length < READ_BYTES.most;
          isFree = wire.#read(memory.subarray(0, length));
          return true;
        },
      },
    });
    const wire = new Wire(socket, () => socket.resetAndDestroy());
    return wire;
  }

  /** Over a socket that speaks TLS; what is cut there is cut by closing, without the alert that says it is complete. */
  static over(secured: Socket): Wire {
    const wire = new Wire(secured, () => secured.destroy());
    secured.on("data", (chunk: Buffer) => wire.#read(chunk));
    return wire;
  }

  /** Nothing that was sent still waits to be written. */
  get isFlushed(): boolean {
    return this.#gathered.length === 0 && this.socket.writableLength === 0;
  }

  /** True where as much waits to be written as should. */
  get isFull(): boolean {
    return this.socket.writableNeedDrain;
  }

  /** Gathers; nothing is written before `flush`. A text is sent byte by byte (latin1). */
  send(part: Buffer | string): void {
    this.sent += part.length;
    const last = this.#gathered.at(-1);
    if (typeof part !== "string" && typeof last === "object" && isBehind(last, part)) {
      const joined = Buffer.from(last.buffer, last.byteOffset, last.length + part.length);
      this.#gathered[this.#gathered.length - 1] = joined;
    } else this.#gathered.push(part);
  }

  flush(): void {
    const parts = this.#gathered;
    if (parts.length === 0) return;
    this.#gathered = [];
    if (this.socket.destroyed) return;
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) this.#write(only);
    else if (parts.reduce((sum, { length }) => sum + length, 0) <= COPY_BYTES)
      this.#write(joined(parts));
    else {
      this.socket.cork();
      for (const part of parts) this.#write(part);
      this.socket.uncork();
    }
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.socket.resume();
  }

  /** Says that there is no more, after what has been sent. */
  end(): void {
    this.flush();
    this.socket.end();
  }

  /** Ends it so that the other side cannot take it for an orderly end. */
  reset(): void {
    this.#gathered = [];
    if (!this.socket.destroyed) this.#reset();
  }

  #read(chunk: Buffer): boolean {
    this.received += chunk.length;
    return this.user?.bytes(chunk) ?? true;
  }

  #write(part: Buffer | string): void {
    if (typeof part === "string") this.socket.write(part, "latin1");
    else this.socket.write(part);
  }
}

function isBehind(first: Buffer, second: Buffer): boolean {
  return first.buffer === second.buffer && first.byteOffset + first.length === second.byteOffset;
}

function joined(parts: readonly (Buffer | string)[]): Buffer {
  const all = Buffer.allocUnsafe(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    if (typeof part === "string") at += all.write(part, at, "latin1");
    else at += part.copy(all, at);
  }
  return all;
}
