import type { Wire } from "./wire.ts";

/** For whom a certificate was verified, and when: by which generation of authorities. */
export interface Verified {
  readonly tlsName: string;
  readonly generation: number;
}

/** Where an idle connection may be used again: the address, the port, and what was verified. */
export function upstreamKey(address: string, port: number, verified: Verified | undefined): string {
  return verified
    ? `${address} ${port} ${verified.tlsName} ${verified.generation}`
    : `${address} ${port}`;
}

/** A connection to a destination, ready to be spoken to. */
export interface Upstream {
  readonly wire: Wire;
  readonly key: string;
  /** Where TLS is originated. */
  readonly verified: Verified | undefined;
  readonly address: string;
  readonly port: number;
  /** How long it took to connect, TLS included, in ms; undefined once a first request has told of it. */
  connectMs: number | undefined;
  /** It has carried an exchange: the destination may be about to close it. */
  used: boolean;
  /** It stands for one app's connection (NTLM, Negotiate) and must not be handed on. */
  bound: boolean;
}
