import { nameGiven, printable } from "./name-given.ts";
import type { Malformed, Tls } from "./outcome.ts";
import { Reader } from "./reader.ts";

/** RFC 6066 §3, RFC 7301 §3.1; all other extensions are skipped: unknown ones, GREASE (RFC 8701), an encrypted hello. */
const SERVER_NAME = 0;
const ALPN = 16;
const HOST_NAME = 0;
const VERSION_AND_RANDOM = 2 + 32;
const MAX_SESSION_ID = 32;
/** Offered protocols that are kept; clients offer two or three. */
const MAX_ALPN = 16;

/**
 * The body of a ClientHello (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2). Lengths are held to as OpenSSL holds to them, so that
 * there is no second way to read it: each vector ends where what is around it ends. Of an encrypted client hello
 * (RFC 9849) it is the outer name that is read.
 */
export function readClientHello(body: Buffer): Tls | Malformed {
  const hello = new Reader(body);
  hello.skip(VERSION_AND_RANDOM);
  const sessionId = hello.vector8();
  const cipherSuites = hello.vector16();
  const compressionMethods = hello.vector8();
  if (sessionId.remaining > MAX_SESSION_ID) return malformed("its session id is over 32 bytes");
  if (cipherSuites.remaining % 2 === 1) return malformed("its cipher suites end in half of one");
  if (hello.overrun || cipherSuites.remaining === 0 || compressionMethods.remaining === 0)
    return malformed("it ends before its compression methods, or has none, or no cipher suites");
  if (hello.complete) return { kind: "tls", alpn: [] };
  const extensions = hello.vector16();
  if (!hello.complete) return malformed("its extensions do not end where it ends");
  return readExtensions(extensions);
}

function readExtensions(extensions: Reader): Tls | Malformed {
  const names: string[] = [];
  const alpn: string[] = [];
  let hasAlpn = false;
  while (extensions.remaining > 0) {
    const type = extensions.uint16();
    const data = extensions.vector16();
    if (extensions.overrun) return malformed("an extension is longer than all of them");
    if (type === SERVER_NAME) {
      if (!readServerNames(data, names)) return malformed("its server_name is no list of names");
    } else if (type === ALPN) {
      if (hasAlpn) return malformed("it has two lists of application protocols");
      if (!readProtocols(data, alpn)) return malformed("its application protocols are no list");
      hasAlpn = true;
    }
  }
  const { name, invalid } = nameGiven(names);
  return { kind: "tls", serverName: name, invalidName: invalid, alpn };
}

/**
 * Adds to `names`; false where it is not a list of host names. RFC 6066 leaves room for other types of name but no way to
 * skip them, and OpenSSL refuses them. Several names, in one list or in several extensions, are judged by the caller.
 */
function readServerNames(data: Reader, names: string[]): boolean {
  const list = data.vector16();
  if (!data.complete || list.remaining === 0) return false;
  while (list.remaining > 0) {
    if (list.uint8() !== HOST_NAME) return false;
    const name = list.vector16();
    if (list.overrun) return false;
    names.push(name.latin1());
  }
  return true;
}

/** Adds to `alpn`; false where it is not a list of protocol names, each of one byte at least. */
function readProtocols(data: Reader, alpn: string[]): boolean {
  const list = data.vector16();
  if (!data.complete || list.remaining === 0) return false;
  while (list.remaining > 0) {
    const protocol = list.vector8();
    if (list.overrun || protocol.remaining === 0) return false;
    if (alpn.length < MAX_ALPN) alpn.push(printable(protocol.latin1()));
  }
  return true;
}

function malformed(problem: string): Malformed {
  return { kind: "malformed", protocol: "tls", problem: `not a ClientHello: ${problem}` };
}
