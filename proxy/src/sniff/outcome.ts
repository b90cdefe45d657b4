/** As much as the engine shows of what an app has said (`MAX_HEAD` in messages.h): what begins a connection is no longer. */
export const MAX_HEAD = 65_536;

/** A complete ClientHello. Neither name: it has no server_name extension. */
export interface Tls {
  readonly kind: "tls";
  /** Canonical (core/src/hostname.ts). */
  readonly serverName?: string | undefined;
  /** Given, and no host can match it: printable ASCII of 255 characters at most, or empty where an empty name was given. */
  readonly invalidName?: string | undefined;
  /** Application protocols offered, printable; the first of them where there are very many. */
  readonly alpn: readonly string[];
}

/** A complete and sound HTTP/1 request head. It has exactly one of the two hosts. */
export interface Http {
  readonly kind: "http";
  /** Canonical, without its port. */
  readonly host?: string | undefined;
  /** As `invalidName`, with its port; never empty. */
  readonly invalidHost?: string | undefined;
  /** The port of the Host field; undefined where it gives none. */
  readonly hostPort?: number | undefined;
  readonly method: string;
  /** Without the query; printable, and cut where it is very long. */
  readonly path: string;
  /** It prefers to be answered in JSON. */
  readonly wantsJson: boolean;
}

/** Certain to be this protocol, and not what the protocol allows. */
export interface Malformed {
  readonly kind: "malformed";
  readonly protocol: "tls" | "http";
  readonly problem: string;
  /** Of HTTP: how such a request is answered. */
  readonly status?: 400 | 414 | 417 | 431 | undefined;
}

/** It cannot be told yet. */
export interface More {
  readonly kind: "more";
  /** Once it is certain what it will be. */
  readonly protocol?: "tls" | "http" | undefined;
  /** Bytes, counted from the first: with fewer it cannot be complete, so nobody need ask again before. */
  readonly needs: number;
}

/** What an app's first bytes show. `opaque`: neither TLS nor HTTP; `http2`: HTTP/2 without TLS (RFC 9113 §3.3). */
export type Sniff = Tls | Http | { readonly kind: "http2" | "opaque" } | Malformed | More;
