import { type Authority, authorityOf, hostGiven } from "./host.ts";
import { printable } from "./name-given.ts";
import { type Http, MAX_HEAD, type Malformed, type More, type Sniff } from "./outcome.ts";

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const EMPTY_LINE = Buffer.from([LF, CR, LF]);
const BARE_EMPTY_LINE = Buffer.from([LF, LF]);
/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const isTokenByte = byteTable(TOKEN);
/** Of each form of request target (RFC 9112 §3.2): a path, an absolute URI, an authority, an asterisk. */
const startsTarget = byteTable(/^[/*[0-9A-Za-z]$/);
/** Registered methods have 17 characters at most (UPDATEREDIRECTREF). */
const MAX_METHOD = 32;
const MAX_PATH = 1_024;
/** Bytes above ASCII in a target are against RFC 3986, and yet some clients send them. */
const REQUEST_LINE = /^([^ ]+) ([\x21-\x7e\x80-\xff]+) HTTP\/([0-9])\.([0-9])\r$/;
const ENDS_AS_REQUEST_LINE = / HTTP\/[0-9]\.[0-9]\r?$/;
/** RFC 9112 §5: no space before the colon; no line that goes on from the last one; no other control than HTAB. */
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)$/;
/** RFC 9113 §3.4. */
const PREFACE_LINE = "PRI * HTTP/2.0\r";
const HTTP2_PREFACE = Buffer.from(`${PREFACE_LINE}\n\r\nSM\r\n\r\n`);

/**
 * A request head, strictly: whoever reads it after us must have no second way to. What is not HTTP is known by its
 * first byte that no method has, or by its first line; what is HTTP is read once its head is complete, and until then
 * only searched for its end.
 */
export function readRequestHead(bytes: Buffer): Sniff {
  const methodEnd = endOfMethod(bytes);
  if (methodEnd === undefined) return { kind: "opaque" };
  if (methodEnd + 1 >= bytes.length) return more(bytes);
  if (!startsTarget[bytes[methodEnd + 1] ?? 0]) return { kind: "opaque" };
  const lineEnd = bytes.indexOf(LF, methodEnd);
  if (lineEnd < 0) return bytes.length < MAX_HEAD ? more(bytes) : { kind: "opaque" };
  const line = bytes.toString("latin1", 0, lineEnd);
  if (!ENDS_AS_REQUEST_LINE.test(line)) return { kind: "opaque" };
  if (line === PREFACE_LINE) return readPreface(bytes);
  const [, method, target, major, minor] = REQUEST_LINE.exec(line) ?? [];
  if (method === undefined || target === undefined)
    return malformed("the request line is not method, target and version, ended by CRLF");
  if (major !== "1" || (minor !== "0" && minor !== "1"))
    return malformed(`the version is HTTP/${major}.${minor}, not HTTP/1.0 or HTTP/1.1`);
  const headEnd = endOfHead(bytes, lineEnd);
  if (headEnd === undefined)
    return bytes.length < MAX_HEAD
      ? more(bytes, "http")
      : malformed("the request head is longer than 64 KiB");
  return readHead(method, target, bytes.toString("latin1", lineEnd + 1, headEnd));
}

/** `fields`: each with the end of its line, and the empty line that ends them. */
function readHead(method: string, target: string, fields: string): Http | Malformed {
  const lines = fields.split("\r\n");
  // What ended the head was a CRLF on a line of its own, or else a bare LF.
  if (lines.pop() !== "" || lines.pop() !== "") return malformed("a line ends in a bare LF");
  const hosts: string[] = [];
  for (const line of lines) {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined || value === undefined)
      return malformed(`not a header field: ${printable(line, 60)}`);
    if (name.length === 4 && name.toLowerCase() === "host") hosts.push(value);
  }
  const form = formOf(method, target);
  if (!form) return malformed(`not a request target: ${printable(target, 60)}`);
  const { authority, defaultPort, path } = form;
  return {
    kind: "http",
    ...hostGiven(hosts, authority, defaultPort),
    method,
    path: printable(path.replace(/[?#].*$/, ""), MAX_PATH),
  };
}

interface Target {
  readonly path: string;
  readonly authority?: Authority;
  readonly defaultPort?: number;
}

/** The forms of RFC 9112 §3.2; undefined where it has none of them. */
function formOf(method: string, target: string): Target | undefined {
  if (method === "CONNECT") return { authority: authorityOf(target), path: "" };
  if (target.startsWith("/") || (target === "*" && method === "OPTIONS")) return { path: target };
  const [, secure, authority, path] = /^http(s?):\/\/([^/?#]*)(.*)$/i.exec(target) ?? [];
  if (authority === undefined || path === undefined) return undefined;
  return { authority: authorityOf(authority), defaultPort: secure ? 443 : 80, path };
}

/** Where the space after the method stands, or will stand at the earliest; undefined where it is no method. */
function endOfMethod(bytes: Buffer): number | undefined {
  let at = 0;
  while (at < bytes.length && at <= MAX_METHOD && isTokenByte[bytes[at] ?? 0]) at++;
  if (at === 0 || at > MAX_METHOD) return undefined;
  return at === bytes.length || bytes[at] === SPACE ? at : undefined;
}

/** After the first empty line, also one ended as it must not be: lenient readers end the head there. */
function endOfHead(bytes: Buffer, lineEnd: number): number | undefined {
  const crlf = bytes.indexOf(EMPTY_LINE, lineEnd);
  const lf = bytes.indexOf(BARE_EMPTY_LINE, lineEnd);
  if (crlf < 0 && lf < 0) return undefined;
  return lf < 0 || (crlf >= 0 && crlf < lf) ? crlf + 3 : lf + 2;
}

function readPreface(bytes: Buffer): Sniff {
  const shared = Math.min(bytes.length, HTTP2_PREFACE.length);
  if (HTTP2_PREFACE.compare(bytes, 0, shared, 0, shared) !== 0)
    return malformed("it begins as HTTP/2 does, and does not go on so");
  return shared < HTTP2_PREFACE.length
    ? { kind: "more", protocol: "http", needs: HTTP2_PREFACE.length }
    : { kind: "http2" };
}

function more({ length }: Buffer, protocol?: "http"): More {
  return { kind: "more", protocol, needs: length + 1 };
}

function malformed(problem: string): Malformed {
  return { kind: "malformed", protocol: "http", problem };
}

/** 1 for each byte that, as a character, matches. */
function byteTable(pattern: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) =>
    Number(pattern.test(String.fromCharCode(byte))),
  );
}
