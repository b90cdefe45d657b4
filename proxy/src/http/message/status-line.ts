import { type Fault, fault, quoted } from "./fault.ts";
import { CR, LF, SPACE, VALUE } from "./octets.ts";

const VERSION = "HTTP/1.";

export interface StatusLine {
  readonly kind: "line";
  readonly status: number;
  readonly minor: 0 | 1;
  /** It goes on as it came: HTTP/1.1, and a space behind the status though no reason follows. */
  readonly isPlain: boolean;
  /** Empty where there is none. */
  readonly reason: string;
  /** Where the first field begins. */
  readonly end: number;
}

/** The first line of a head, exactly: version, one space, three digits, one space, a reason that may be empty, CRLF (RFC 9112 §4). */
export function readStatusLine(head: string): StatusLine | Fault {
  const minor = head.charCodeAt(VERSION.length) - 0x30;
  const status = threeDigits(head, VERSION.length + 2);
  if (
    !head.startsWith(VERSION) ||
    (minor !== 0 && minor !== 1) ||
    head.charCodeAt(VERSION.length + 1) !== SPACE ||
    !(status >= 100)
  )
    return notALine(head);
  let at = VERSION.length + 5;
  // Some servers leave out the space together with the reason.
  const hasReason = head.charCodeAt(at) === SPACE;
  if (hasReason) at++;
  const reasonAt = at;
  if (hasReason) while (VALUE[head.charCodeAt(at)]) at++;
  if (head.charCodeAt(at) !== CR || head.charCodeAt(at + 1) !== LF) return notALine(head);
  const reason = head.slice(reasonAt, at);
  return { kind: "line", status, minor, isPlain: minor === 1 && hasReason, reason, end: at + 2 };
}

/** NaN or below 100 where it is none. */
function threeDigits(head: string, at: number): number {
  const [a, b, c] = [head.charCodeAt(at), head.charCodeAt(at + 1), head.charCodeAt(at + 2)];
  if (!isDigit(a) || !isDigit(b) || !isDigit(c)) return Number.NaN;
  return (a - 0x30) * 100 + (b - 0x30) * 10 + (c - 0x30);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function notALine(head: string): Fault {
  const line = head.slice(0, 1_000).split("\n", 1)[0] ?? "";
  return fault(`not a status line of HTTP/1.0 or HTTP/1.1: ${quoted(line.replace(/\r$/, ""))}`);
}
