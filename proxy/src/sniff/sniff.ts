import { DEFAULT_HEAD_LIMITS } from "../http/message/head-end.ts";
import { readRequestHead } from "./http.ts";
import type { Sniff } from "./outcome.ts";
import { readTls } from "./tls.ts";

export { MAX_HEAD, type Sniff } from "./outcome.ts";

const HANDSHAKE = 22;
const MAJOR_VERSION = 3;

/**
 * What an app's first bytes show, all of them from the first, up to MAX_HEAD. `limits` are of an HTTP request's head. Never
 * throws.
 *
 * A hello in the form of SSL 2 is opaque: it has no place for a name, RFC 6176 forbids it, and three bytes that fit it
 * are no proof, for many a binary protocol begins with a length.
 */
export function sniff(bytes: Buffer, limits = DEFAULT_HEAD_LIMITS): Sniff {
  const [first, second] = bytes;
  if (first === undefined) return { kind: "more", needs: 1 };
  if (first !== HANDSHAKE) return readRequestHead(bytes, limits);
  if (second === undefined) return { kind: "more", needs: 2 };
  return second === MAJOR_VERSION ? readTls(bytes) : { kind: "opaque" };
}
