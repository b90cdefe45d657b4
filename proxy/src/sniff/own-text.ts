/** V8 copies a part of a text up to this length; a longer part holds on to all of the text (SlicedString::kMinLength). */
const COPIED = 12;

/**
 * The same text, of its own; every character is below U+0100. What is kept of a head for long, as long as its connection
 * or a record of it, must not keep the head, which may be 64 KiB.
 */
export function ownText(latin1: string): string {
  return latin1.length <= COPIED ? latin1 : Buffer.from(latin1, "latin1").toString("latin1");
}
