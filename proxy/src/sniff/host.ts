import { canonicalName } from "@sallyport/core/hostname";
import { ownText } from "./own-text.ts";

/** Host and port as they were written, and what they say; no name where no host can match it. */
export interface Authority {
  readonly text: string;
  readonly name?: string | undefined;
  readonly port?: number | undefined;
}

/** A host (RFC 3986 §3.2.2: an address in brackets, or else letters, digits and some marks) and a port (RFC 9110 §7.2). */
const AUTHORITY = /^(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z\-._~!$&'()*+,;=%]+)(?::([0-9]*))?$/;

/** What was read last: one request after another mostly goes to the same host, and a name costs a third of the head. */
let last: Authority | undefined;

/**
 * Undefined where it is no authority at all: empty, or with user information (RFC 9110 §4.2.4), a path, a space. One
 * that is, and whose host is no DNS name or whose port no TCP port, has no name.
 */
export function authorityOf(text: string): Authority | undefined {
  if (text === last?.text) return last;
  const [, host, digits = ""] = AUTHORITY.exec(text) ?? [];
  if (host === undefined) return undefined;
  // A port of no digits is none.
  const port = digits === "" ? undefined : Number(digits);
  if (port === 0 || (port ?? 0) > 65_535) return { text };
  const name = canonicalName(host);
  last = { text: ownText(text), name: name === undefined ? undefined : ownText(name), port };
  return last;
}

/**
 * Whether they name one host and port: a server goes by the target (RFC 9112 §3.2.2), and others by the Host. `defaultPort`
 * is the scheme's.
 */
export function isSamePlace(a: Authority, b: Authority, defaultPort: number): boolean {
  if (a.name === undefined || b.name === undefined) return a.text === b.text;
  return a.name === b.name && (a.port ?? defaultPort) === (b.port ?? defaultPort);
}
