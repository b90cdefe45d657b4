import { type Fault, fault, quoted } from "./fault.ts";
import type { HeadLimits } from "./head-end.ts";
import { CR, LF, SPACE, TARGET, TOKEN } from "./octets.ts";
import { type Target, targetOf } from "./target.ts";

const VERSION = "HTTP/1.";
/** Registered methods have 17 characters at most (UPDATEREDIRECTREF). */
export const MAX_METHOD = 32;
/** Methods are case-sensitive (RFC 9110 §9.1); who forgets that opens a tunnel, or answers without a body. */
const WRITTEN_OTHERWISE = /^(?:connect|head|trace)$/i;

export interface RequestLine {
  readonly kind: "line";
  readonly method: string;
  readonly target: Target;
  readonly minor: 0 | 1;
  /** It goes on as it came: HTTP/1.1, and not in absolute form. */
  readonly isPlain: boolean;
  /** Where the first field begins. */
  readonly end: number;
}

/** The first line of a head, exactly: method, one space, target, one space, version, CRLF (RFC 9112 §3). */
export function readRequestLine(
  head: string,
  { targetBytes }: Pick<HeadLimits, "targetBytes">,
): RequestLine | Fault {
  let at = 0;
  while (TOKEN[head.charCodeAt(at)]) at++;
  const method = head.slice(0, at);
  if (at === 0 || head.charCodeAt(at) !== SPACE) return notALine(head);
  if (at > MAX_METHOD) return fault(`a method of more than ${MAX_METHOD} characters`);
  const targetAt = ++at;
  while (TARGET[head.charCodeAt(at)]) at++;
  const targetEnd = at;
  const digit = head.charCodeAt(at + 8) - 0x30;
  if (
    targetEnd === targetAt ||
    head.charCodeAt(at) !== SPACE ||
    !head.startsWith(VERSION, at + 1) ||
    (digit !== 0 && digit !== 1) ||
    head.charCodeAt(at + 9) !== CR ||
    head.charCodeAt(at + 10) !== LF
  )
    return notALine(head);
  // RFC 9112 §3.
  if (targetEnd - targetAt > targetBytes)
    return fault(`the target is longer than ${targetBytes} bytes`, 414);
  if (method === "CONNECT") return fault("CONNECT asks for a tunnel, which nobody could judge");
  if (method !== "HEAD" && method !== "TRACE" && WRITTEN_OTHERWISE.test(method))
    return fault(`the method ${method}, which some take for ${method.toUpperCase()}`);
  const text = head.slice(targetAt, targetEnd);
  const target = targetOf(method, text);
  if (target.kind === "fault") return target;
  const isPlain = digit === 1 && target.text === text;
  return { kind: "line", method, target, minor: digit, isPlain, end: at + 11 };
}

const ANY_LINE = /^([^ ]+) ([^ ]+) HTTP\/([0-9])\.([0-9])\r\n/;

/** In the words of what is wrong with it. */
function notALine(head: string): Fault {
  const line = head.slice(0, 20_000).split("\n", 1)[0] ?? "";
  const [, method = "", target = "", major, minor] = ANY_LINE.exec(`${line}\n`) ?? [];
  if (major === undefined)
    return fault("the request line is not method, target and version, ended by CRLF");
  if (major !== "1" || (minor !== "0" && minor !== "1"))
    return fault(`the version is HTTP/${major}.${minor}, not HTTP/1.0 or HTTP/1.1`);
  if (/[^!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(method)) return fault(`not a method: ${quoted(method)}`);
  if (target.includes("#")) return fault(`a fragment in the target: ${quoted(target)}`);
  return fault(`not a request target: ${quoted(target)}`);
}
