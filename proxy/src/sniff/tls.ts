import { readClientHello } from "./client-hello.ts";
import { MAX_HEAD, type Malformed, type More, type Tls } from "./outcome.ts";

/** TLSPlaintext (RFC 8446 §5.1): type, version, length. */
const RECORD_HEADER = 5;
const HANDSHAKE = 22;
const MAX_RECORD = 2 ** 14;
/** Handshake (RFC 8446 §4): type, length. */
const MESSAGE_HEADER = 4;
const CLIENT_HELLO = 1;
/** Of the record's version the minor part is ignored, as RFC 8446 §5.1 and OpenSSL have it. */
const MAJOR_VERSION = 3;

/**
 * A ClientHello out of as many records as it comes in, each read once it is whole. `needs` makes the work linear: with
 * its length known, it cannot be complete before the rest of it is there in the fewest records it could come in. A client
 * that puts each byte into a record of its own is read some sixty times, any real one once or twice.
 */
export function readTls(bytes: Buffer): Tls | Malformed | More {
  const fragments: Buffer[] = [];
  let arrived = 0;
  let size: number | undefined;
  let at = 0;
  while (at + RECORD_HEADER <= bytes.length) {
    const length = bytes.readUInt16BE(at + 3);
    const problem = problemOfRecord(bytes, at, length);
    if (problem !== undefined) return malformed(problem);
    const fragment = bytes.subarray(at + RECORD_HEADER, at + RECORD_HEADER + length);
    fragments.push(fragment);
    arrived += fragment.length;
    at += RECORD_HEADER + length;
    const type = fragments[0]?.[0];
    if (type !== undefined && type !== CLIENT_HELLO)
      return malformed(`the first handshake message is of type ${type}, not a ClientHello`);
    if (size === undefined && arrived >= MESSAGE_HEADER)
      size = MESSAGE_HEADER + joined(fragments).readUIntBE(1, 3);
    if (size !== undefined && arrived >= size && at <= bytes.length)
      return readClientHello(joined(fragments).subarray(MESSAGE_HEADER, size));
  }
  const needs = leastBytes(at, bytes.length, (size ?? MESSAGE_HEADER) - arrived);
  return needs > MAX_HEAD
    ? malformed("the ClientHello is longer than 64 KiB")
    : { kind: "more", protocol: "tls", needs };
}

/** How many bytes there are once `missing` more of the message have come; the last record that has begun ends at `end`. */
function leastBytes(end: number, length: number, missing: number): number {
  const inRecord = Math.max(0, end - length);
  const beyond = Math.max(0, missing - inRecord);
  return end + beyond + RECORD_HEADER * Math.ceil(beyond / MAX_RECORD);
}

function problemOfRecord(bytes: Buffer, at: number, length: number): string | undefined {
  if (bytes[at] !== HANDSHAKE)
    return `a record of type ${bytes[at]} where the ClientHello should go on`;
  if (bytes[at + 1] !== MAJOR_VERSION) return `a record of version ${bytes[at + 1]}`;
  if (length > MAX_RECORD) return `a record of ${length} bytes, more than 16384`;
  // "Implementations MUST NOT send zero-length fragments of Handshake types" (RFC 8446 §5.1, RFC 5246 §6.2.1).
  if (length === 0) return "an empty record";
  return undefined;
}

function joined(fragments: readonly Buffer[]): Buffer {
  const [only] = fragments;
  return only && fragments.length === 1 ? only : Buffer.concat(fragments);
}

function malformed(problem: string): Malformed {
  return { kind: "malformed", protocol: "tls", problem };
}
