import type { Fault } from "./fault.ts";
import type { Framing } from "./framing.ts";
import type { RequestParts } from "./request-edits.ts";
import type { ResponseParts } from "./response-edits.ts";

/**
 * An HTTP/1 message as it was understood (RFC 9112), in exactly one way; what can be read in two is a Fault. Request and
 * response heads are read by request-head.ts and response-head.ts, bodies by body.ts; what is sent on is written from
 * these values and never from trust (forward.ts). All of this folder is pure: bytes in, values out.
 */

export interface RequestHead {
  readonly kind: "request";
  /** A token (RFC 9110 §9.1); never CONNECT, which is a Fault. */
  readonly method: string;
  /** Origin-form with its query, or `*`: an absolute-form target is reduced to this once its authority agrees with Host. */
  readonly target: string;
  /** HTTP/1.0 or HTTP/1.1. */
  readonly minor: 0 | 1;
  /** The Host field's value without the spaces around it, byte by byte (latin1): there is exactly one. */
  readonly host: string;
  /** What that says: canonical name and port, or why no host rule can match it. As in sniff/host.ts. */
  readonly name?: string | undefined;
  readonly invalidName?: string | undefined;
  readonly port?: number | undefined;
  readonly framing: Exclude<Framing, { kind: "until_close" }>;
  /** The app wants to go on after this one: HTTP/1.1 and no `close` (HTTP/1.0 is always its last). */
  readonly keepsAlive: boolean;
  /** `Expect: 100-continue`, of HTTP/1.1. */
  readonly expectsContinue: boolean;
  /** The Sec-WebSocket-Key of a sound WebSocket handshake (RFC 6455 §4.1); undefined for anything else. */
  readonly webSocketKey?: string | undefined;
  /** `Accept` prefers JSON: for our own answers. */
  readonly wantsJson: boolean;
  /** Safe to send a second time on another connection: an idempotent method (RFC 9110 §9.2.2) and no body. */
  readonly isRepeatable: boolean;
  /** It authenticates the connection and not the request (NTLM, Negotiate): nobody else may use that connection. */
  readonly bindsConnection: boolean;
  /** The head itself, for forward.ts. */
  readonly parts: RequestParts;
}

export interface ResponseHead {
  readonly kind: "response";
  readonly status: number;
  readonly minor: 0 | 1;
  readonly framing: Framing;
  /** The upstream goes on after this one: HTTP/1.1, no `close`, and a body that ends by itself. */
  readonly keepsAlive: boolean;
  /** 101 to WebSocket with the accept value that the request's key demands (RFC 6455 §4.2.2). */
  readonly isWebSocket: boolean;
  /** It authenticates the connection and not the request (NTLM, Negotiate): nobody else may use that connection. */
  readonly bindsConnection: boolean;
  /** The head itself, for forward.ts. */
  readonly parts: ResponseParts;
}

/** Reads one body, and gives on what it is made of. */
export interface BodyReader {
  /**
   * Reads `bytes` from `at`; whatever of it is to be sent on goes to `send`, framed anew from what was understood. Gives
   * where it stopped: at the end of `bytes`, or behind the last byte of the body, which is then `done`. After a fault
   * nothing more is read, and what has been sent is not complete.
   */
  read(bytes: Buffer, at: number, send: (part: Buffer) => void): number;
  readonly done: boolean;
  readonly fault: Fault | undefined;
}
