import { type Fault, fault, quoted } from "./fault.ts";
import type { HeadLimits } from "./head-end.ts";
import { COLON, CR, LF, SPACE, TAB, TOKEN, VALUE } from "./octets.ts";

/** A field that means something to us. */
export interface Field {
  /** As it is known: in lower case. */
  readonly name: string;
  /** All between the colon and the end of the line. */
  readonly raw: string;
  /** Where its line begins, and where the next one does. */
  readonly start: number;
  readonly end: number;
}

/** Names to look out for, in lower case; one that ends in a hyphen stands for all that begin so. By `keyOf`. */
export type Known = readonly (readonly string[] | undefined)[];

/** Names longer than this are as good as this long. */
const LONGEST = 31;

export function known(names: readonly string[]): Known {
  const table = new Array<string[] | undefined>((LONGEST + 1) * 32).fill(undefined);
  for (const name of names) {
    const longest = name.endsWith("-") ? LONGEST : name.length;
    for (let length = name.length; length <= longest; length++) {
      const key = keyOf(name, 0, length);
      table[key] = [...(table[key] ?? []), name];
    }
  }
  return table;
}

/** Length and first letter: by these most fields are passed over at one look. */
function keyOf(text: string, start: number, length: number): number {
  return Math.min(length, LONGEST) * 32 + (text.charCodeAt(start) & 31);
}

/** What is found by its length is as long; but for prefixes, and no name is as long as the longest. */
function nameIn(names: Known, head: string, start: number, length: number): string | undefined {
  return names[keyOf(head, start, length)]?.find((name) => isCalled(head, start, name));
}

/** Of tokens, and names without `^` and `~`, no two are alike but by the case of their letters once this bit is set. */
const LOWER_CASE = 0x20;

function isCalled(head: string, start: number, name: string): boolean {
  for (let at = 0; at < name.length; at++)
    if ((head.charCodeAt(start + at) | LOWER_CASE) !== (name.charCodeAt(at) | LOWER_CASE))
      return false;
  return true;
}

/**
 * The fields of a head, from `at` to its end, which must be an empty line: those whose name is known. A line is a name, a colon at once, a value and CRLF: no space before the colon (RFC 9112 §5.1), no line that goes on from
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
    const name = nameIn(names, head, start, colon - start);
    next += 2;
    if (name !== undefined)
      found.push({ name, raw: head.slice(colon + 1, next - 2), start, end: next });
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
