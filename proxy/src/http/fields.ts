import { fault, quoted } from "./fault.ts";
import type { HeadLimits } from "./head-end.ts";
import type { Fault } from "./message.ts";
import { COLON, CR, LF, SPACE, TAB, TOKEN, VALUE } from "./octets.ts";

/** A field that means something to us. */
export interface Field {
  /** In lower case. */
  readonly name: string;
  /** All between the colon and the end of the line. */
  readonly raw: string;
  /** Where its line begins, and where the next one does. */
  readonly start: number;
  readonly end: number;
}

/** Which names to look at more closely: by their length and first letter, so that most are passed over at one look. */
export type Known = Uint8Array;

/** Names longer than this are as good as this long. */
const LONGEST = 31;

export function known(names: readonly string[]): Known {
  const table = new Uint8Array((LONGEST + 1) * 32);
  for (const name of names) table[keyOf(name, 0, name.length)] = 1;
  return table;
}

function keyOf(text: string, start: number, length: number): number {
  return Math.min(length, LONGEST) * 32 + (text.charCodeAt(start) & 31);
}

/**
 * The fields of a head, from `at` to its end, which must be an empty line: those whose name is known, or looks like one. A
 * line is a name, a colon at once, a value and CRLF: no space before the colon (RFC 9112 §5.1), no line that goes on from
 * the last (§5.2), no CR or LF that is not both (§2.2), no control but tab (RFC 9110 §5.5).
 */
export function readFields(
  head: string,
  at: number,
  names: Known,
  { fields: most }: Pick<HeadLimits, "fields">,
): Field[] | Fault {
  const found: Field[] = [];
  let next = at;
  for (let count = 0; head.charCodeAt(next) !== CR; count++) {
    if (count === most) return fault(`more than ${most} fields`, 431);
    const start = next;
    while (TOKEN[head.charCodeAt(next)]) next++;
    const colon = next;
    if (colon === start || head.charCodeAt(colon) !== COLON) return notAField(head, start);
    do next++;
    while (VALUE[head.charCodeAt(next)]);
    if (head.charCodeAt(next) !== CR || head.charCodeAt(next + 1) !== LF)
      return notAField(head, start);
    if (names[keyOf(head, start, colon - start)] === 1)
      found.push({
        name: head.slice(start, colon).toLowerCase(),
        raw: head.slice(colon + 1, next),
        start,
        end: next + 2,
      });
    next += 2;
  }
  if (head.charCodeAt(next + 1) !== LF || next + 2 !== head.length) return notAField(head, next);
  return found;
}

/** In the words of what is wrong with the line that begins at `start`. */
function notAField(head: string, start: number): Fault {
  const end = head.indexOf("\n", start);
  const line = head.slice(start, end < 0 ? head.length : end);
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  const is = `not a header field: ${quoted(text)}`;
  if (end >= 0 && text === line) return fault(`a line ends in a bare LF: ${quoted(text)}`);
  if (text.includes("\r")) return fault(`${is} has a bare CR`);
  if (/^[\t ]/.test(text))
    return fault(`${is} begins with a space, as if it went on from the last`);
  if (/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+[\t ]+:/.test(text))
    return fault(`${is} has a space before the colon`);
  return fault(is);
}

/**
 * Without the spaces and tabs that may stand around a value (RFC 9112 §5.1). Not `trim`, which takes a no-break space too;
 * not a regular expression, which takes quadratic time for many spaces.
 */
export function trimmed(raw: string): string {
  let start = 0;
  let end = raw.length;
  while (isBlank(raw.charCodeAt(start))) start++;
  while (end > start && isBlank(raw.charCodeAt(end - 1))) end--;
  return raw.slice(start, end);
}

/** Whether a value is these letters, in lower case, whatever case it has. */
export function says(field: Field, value: string): boolean {
  return trimmed(field.raw).toLowerCase() === value;
}

/** Fields of one name, as they come. */
export function also(fields: Field[] | undefined, field: Field): Field[] {
  if (!fields) return [field];
  fields.push(field);
  return fields;
}

/** The members of a list, without empty ones (RFC 9110 §5.6.1.2). Not for quoted strings. */
export function listOf(raw: string): string[] {
  return raw
    .split(",")
    .map(trimmed)
    .filter((member) => member !== "");
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
