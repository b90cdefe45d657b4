import type { Wire } from "./wire.ts";

/** Where an idle connection may be used again: the address, the port, and for whom the certificate was verified. */
export function upstreamKey(address: string, port: number, tlsName: string | undefined): string {
  return tlsName === undefined ? `${address} ${port}` : `${address} ${port} ${tlsName}`;
}

/** A connection to a destination, ready to be spoken to. */
export interface Upstream {
  readonly wire: Wire;
  readonly key: string;
  readonly address: string;
  /** How long it took to connect, TLS included, in ms; undefined once a first request has told of it. */
  connectMs: number | undefined;
  /** It has carried an exchange: the destination may be about to close it. */
  used: boolean;
  /** It stands for one app's connection (NTLM, Negotiate) and must not be handed on. */
  bound: boolean;
}
