import type { Fault } from "../http/message/fault.ts";
import { endOfHead, type HeadLimits } from "../http/message/head-end.ts";
import type { RequestHead } from "../http/message/message.ts";
import { byteTable, LF, SPACE, TOKEN } from "../http/message/octets.ts";
import { readRequest } from "../http/message/request-head.ts";
import { MAX_METHOD, readRequestLine } from "../http/message/request-line.ts";
import { shownPath } from "../http/message/target.ts";
import { type Http, MAX_HEAD, type Malformed, type More, type Sniff } from "./outcome.ts";

/** Of each form of request target (RFC 9112 §3.2): a path, an absolute URI, an authority, an asterisk. */
const STARTS_TARGET = byteTable(/[/*[0-9A-Za-z]/);
const ENDS_AS_REQUEST_LINE = / HTTP\/[0-9]\.[0-9]\r?$/;
/** RFC 9113 §3.4. */
const PREFACE_LINE = "PRI * HTTP/2.0\r";
const HTTP2_PREFACE = Buffer.from(`${PREFACE_LINE}\n\r\nSM\r\n\r\n`);

/**
 * A request head, strictly, as http/message/request-head.ts reads it. What is not HTTP is known by its first byte that no method
 * has, or by its first line; what is HTTP is read once its head is complete, and until then only searched for its end.
 */
export function readRequestHead(bytes: Buffer, limits: HeadLimits): Sniff {
  const methodEnd = endOfMethod(bytes);
  if (methodEnd === undefined) return { kind: "opaque" };
  if (methodEnd + 1 >= bytes.length) return more(bytes);
  if (!STARTS_TARGET[bytes[methodEnd + 1] ?? 0]) return { kind: "opaque" };
  const lineEnd = bytes.indexOf(LF, methodEnd);
  if (lineEnd < 0) return bytes.length < MAX_HEAD ? more(bytes) : { kind: "opaque" };
  const line = bytes.toString("latin1", 0, lineEnd);
  if (!ENDS_AS_REQUEST_LINE.test(line)) return { kind: "opaque" };
  if (line === PREFACE_LINE) return readPreface(bytes);
  const headEnd = endOfHead(bytes, lineEnd);
  if (headEnd >= 0) return sniffOf(readRequest(bytes.toString("latin1", 0, headEnd), limits));
  const request = readRequestLine(`${line}\n`, limits);
  if (request.kind === "fault") return malformed(request);
  return bytes.length < MAX_HEAD
    ? more(bytes, "http")
    : malformed({ problem: "the request head is longer than 64 KiB", status: 431 });
}

function sniffOf(request: RequestHead | Fault): Http | Malformed {
  if (request.kind === "fault") return malformed(request);
  const { name, invalidName, port, method, target, wantsJson } = request;
  return {
    kind: "http",
    ...(name === undefined ? { invalidHost: invalidName } : { host: name, hostPort: port }),
    method,
    path: shownPath(target),
    wantsJson,
  };
}

/** Where the space after the method stands, or will stand at the earliest; undefined where it is no method. */
function endOfMethod(bytes: Buffer): number | undefined {
  let at = 0;
  while (at < bytes.length && at <= MAX_METHOD && TOKEN[bytes[at] ?? 0]) at++;
  if (at === 0 || at > MAX_METHOD) return undefined;
  return at === bytes.length || bytes[at] === SPACE ? at : undefined;
}

function readPreface(bytes: Buffer): Sniff {
  const shared = Math.min(bytes.length, HTTP2_PREFACE.length);
  if (HTTP2_PREFACE.compare(bytes, 0, shared, 0, shared) !== 0)
    return malformed({ problem: "it begins as HTTP/2 does, and does not go on so", status: 400 });
  return shared < HTTP2_PREFACE.length
    ? { kind: "more", protocol: "http", needs: HTTP2_PREFACE.length }
    : { kind: "http2" };
}

function more({ length }: Buffer, protocol?: "http"): More {
  return { kind: "more", protocol, needs: length + 1 };
}

function malformed({ problem, status }: Pick<Fault, "problem" | "status">): Malformed {
  return { kind: "malformed", protocol: "http", problem, status };
}
