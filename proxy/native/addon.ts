import load from "node-gyp-build";

/** What addon.c calls: an object with these functions. Numbers that stand for names are named in engine.ts. */
export interface NativeHandlers {
  accepted(
    ...event: [
      ...[id: number, sourceAddress: string, sourcePort: number],
      ...[address: string, port: number, own: boolean, overLimit: boolean, errno: number],
      ...[bytes?: Buffer, ended?: boolean, timedOut?: boolean],
    ]
  ): void;
  head(id: number, bytes: Buffer, ended: boolean, timedOut: boolean): void;
  said(id: number, bytes: Buffer): void;
  /** Whether somebody takes the descriptor; it is reset otherwise. */
  released(id: number, fd: number): boolean;
  /** The same; the descriptor is -1 where nothing has connected. */
  dialled(id: number, fd: number, errno: number, address: number, connectUs: number): boolean;
  /** A peek, a release or a dial came too late. */
  gone(id: number): void;
  finished(
    ...event: [
      ...[id: number, sent: number, received: number, connectUs: number, totalUs: number],
      ...[address: number, by: number, how: number, errno: number],
    ]
  ): void;
  live(id: number, sent: number, received: number, address: number): void;
  reported(): void;
  accepting(paused: boolean, errno: number): void;
  /** The batch is over; there is no other before `rearm`. */
  delivered(): void;
  stopped(): void;
}

export interface NativeEngine {
  readonly ports: readonly number[];
  peek(id: number, moreThan: number, waitMs: number): void;
  /** A bit for each port. */
  peekFirst(waitMs: number, ports: Buffer): void;
  relay(
    ...verdict: [
      ...[id: number, connectMs: number, show: boolean, port: number],
      ...addresses: readonly string[],
    ]
  ): void;
  dial(
    ...dial: [id: number, connectMs: number, port: number, ...addresses: readonly string[]]
  ): void;
  refuse(id: number, bytes?: Buffer): void;
  release(id: number): void;
  close(id: number): void;
  closeAll(): void;
  report(): void;
  rearm(): void;
  limit(
    connections: number,
    verdictMs: number,
    idleMs: number,
    halfClosedMs: number,
    keepaliveSeconds: number,
  ): void;
  pause(): void;
  resume(): void;
  stop(): void;
}

/** What sockets.c gives: a set of connected sockets. Counts are of bytes; negative ones are errno. */
export interface NativeSockets {
  /** Its id. The descriptor is the set's from here on, unless it failed. */
  add(fd: number): number;
  /** How much is in the shared memory now; 0 at the end. */
  read(id: number): number;
  /** How much was taken of at most 16 parts, texts byte by byte (latin1) and of 128 KB together at most. */
  write(id: number, parts: readonly (string | Buffer)[]): number;
  shutdown(id: number): void;
  close(id: number, reset: boolean): void;
}

interface Addon {
  /** `ready` is told of how many pairs of id and epoll events there are in `told`, 256 at most; or the errno of why not. */
  sockets(memory: Buffer, told: Int32Array, ready: (count: number) => void): NativeSockets | number;
  /** The engine, or the errno with which listening failed. */
  start(
    addresses: readonly (readonly [address: string, port: number])[],
    sharePort: boolean,
    handlers: NativeHandlers,
  ): NativeEngine | number;
}

/** Loads `build/Release/*.node` beside this file; in an image, beside the bundle (esbuild puts `__dirname` here). */
export const addon = load(import.meta.dirname) as Addon;
