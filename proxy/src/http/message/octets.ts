/**
 * Which bytes may stand where, as tables read by `TABLE[text.charCodeAt(at)]`; a text here is latin1, a character a byte.
 * What ends a line is in none of them, so that a loop over them ends where the line does.
 */

/** RFC 9110 §5.6.2: what methods and field names are made of. */
export const TOKEN = byteTable(/[!#$%&'*+\-.^_`|~0-9A-Za-z]/);
/** RFC 9110 §5.5: field values, and reasons (RFC 9112 §4): visible characters, obs-text, spaces and tabs. */
export const VALUE = byteTable(/[\t\x20-\x7e\x80-\xff]/);
/** Targets: RFC 3986 has no byte above ASCII, and clients send them; no form has a fragment (RFC 9112 §3.2). */
export const TARGET = byteTable(/[\x21\x22\x24-\x7e\x80-\xff]/);

export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SPACE = 0x20;
export const COLON = 0x3a;

/** 1 for each byte that, as a character, matches. */
export function byteTable(pattern: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) =>
    Number(pattern.test(String.fromCharCode(byte))),
  );
}
