import { getSystemErrorMap } from "node:util";
import type { Side } from "@sallyport/core/record";
import type { NativeHandlers } from "../native/addon.ts";

// What the engine tells of a connection, in names: the numbers of messages.h and of errno go no further than this.

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** A connection that waits for a verdict: all that the rest of the sidecar knows of how it came in. */
export interface Inbound {
  /** For the verdict; meaningless where the connection has finished, is over the limit or could not be kept. */
  readonly id: number;
  readonly source: Endpoint;
  /** What the app dialled. */
  readonly destination: Endpoint;
  /** Made to the listener itself, or by the sidecar itself. */
  readonly own: boolean;
  /** Has been reset already: as many as may be open are. */
  readonly overLimit: boolean;
  /** Why it is not known where it was going (`ENOPROTOOPT` and its like), or why it could not be kept and is finished. */
  readonly error?: string;
  /** Where `peekFirst` asked for it: the verdict may well need no more. */
  readonly head?: Head;
}

/** What an app has said so far, still unread; `ended` when it will say no more, `timedOut` when the wait is over. */
export interface Head {
  readonly bytes: Buffer;
  readonly ended: boolean;
  readonly timedOut: boolean;
}

/** What an open connection has moved so far, and which of the verdict's addresses it is relayed to, once it is. */
export interface Live {
  readonly sent: number;
  readonly received: number;
  readonly dialled?: number;
}

/**
 * What became of a dial for a connection that is held: a connected socket, the caller's to close, or why there is none.
 * `address` is the index of the one that connected, or of the one that failed last; undefined where none was dialled.
 */
export type Dialled =
  | { readonly fd: number; readonly address: number; readonly connectMs: number }
  | { readonly error: string; readonly address?: number };

/** In the order of `enum ending` in messages.h. */
const HOW = ["end", "reset", "refused", "failed", "timeout", "closed"] as const;
/** In the order of `enum side` in messages.h. */
const BY: readonly Side[] = ["app", "upstream", "sidecar"];

/** How a connection ended, told once for each that waited for a verdict. Of one that was held, JavaScript knows more. */
export interface Finished {
  readonly sent: number;
  readonly received: number;
  /** Until the destination answered; undefined where it never did. */
  readonly connectMs?: number;
  readonly totalMs: number;
  /** Which of the verdict's addresses was relayed to, or was begun or failed last; undefined where none was dialled. */
  readonly dialled?: number;
  readonly by: Side;
  readonly how: (typeof HOW)[number];
  readonly error?: string;
}

/** What the addon passes with an event, after the connection's id. */
type Told<Event extends "accepted" | "head" | "dialled" | "finished" | "live"> =
  Parameters<NativeHandlers[Event]> extends [id: number, ...infer Rest] ? Rest : never;

export function inboundOf(
  id: number,
  ...[sourceAddress, sourcePort, address, port, own, overLimit, errno, ...head]: Told<"accepted">
): Inbound {
  const [bytes, ended = false, timedOut = false] = head;
  return {
    id,
    source: { address: sourceAddress, port: sourcePort },
    destination: { address, port },
    own,
    overLimit,
    ...(errno && { error: errorName(errno) }),
    ...(bytes && { head: { bytes, ended, timedOut } }),
  };
}

export function headOf(...[bytes, ended, timedOut]: Told<"head">): Head {
  return { bytes, ended, timedOut };
}

export function liveOf(...[sent, received, address]: Told<"live">): Live {
  return { sent, received, ...(address >= 0 && { dialled: address }) };
}

export function dialledOf(...[fd, errno, address, connectUs]: Told<"dialled">): Dialled {
  if (fd >= 0) return { fd, address, connectMs: connectUs / 1_000 };
  return { error: errorName(errno), ...(address >= 0 && { address }) };
}

export function finishedOf(
  ...[sent, received, connectUs, totalUs, address, by, how, errno]: Told<"finished">
): Finished {
  return {
    sent,
    received,
    ...(connectUs && { connectMs: connectUs / 1_000 }),
    totalMs: totalUs / 1_000,
    ...(address >= 0 && { dialled: address }),
    by: BY[by] ?? "sidecar",
    how: HOW[how] ?? "failed",
    ...(errno && { error: errorName(errno) }),
  };
}

export function errorName(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[0] ?? `errno ${errno}`;
}
