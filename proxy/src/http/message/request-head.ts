import { type Authority, authorityOf, isSamePlace } from "../../sniff/host.ts";
import { printable } from "../../sniff/name-given.ts";
import { prefersJson } from "./accept.ts";
import { optionsOf } from "./connection-options.ts";
import { type Fault, fault, quoted } from "./fault.ts";
import { readFields, says, trimmed } from "./fields.ts";
import { framingOf } from "./framing.ts";
import type { HeadLimits } from "./head-end.ts";
import type { RequestHead } from "./message.ts";
import { REQUEST_FIELDS, RequestFields } from "./request-fields.ts";
import { type RequestLine, readRequestLine } from "./request-line.ts";
import { handshakeKey } from "./websocket.ts";

const NO_BODY: RequestHead["framing"] = { kind: "none" };
/** RFC 9110 §9.2.2. */
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);
/** RFC 4559: they authenticate a connection. */
const BINDING = /^[\t ]*(?:ntlm|negotiate)\b/i;

/** Reads a head, latin1, from its first byte to its empty line. */
export function readRequest(head: string, limits: HeadLimits): RequestHead | Fault {
  const line = readRequestLine(head, limits);
  if (line.kind === "fault") return line;
  if (head.length > limits.bytes)
    return fault(`the head is longer than ${limits.bytes} bytes`, 431);
  const list = readFields(head, line.end, REQUEST_FIELDS, limits);
  if ("kind" in list) return list;
  const fields = new RequestFields();
  for (const field of list) {
    const problem = fields.add(field);
    if (problem) return problem;
  }
  return understood(head, line, fields);
}

function understood(head: string, line: RequestLine, fields: RequestFields): RequestHead | Fault {
  const { method, minor, target } = line;
  const place = placeOf(line, fields);
  if ("kind" in place) return place;
  const framing = framingOf(fields.length, fields.coding, minor) ?? NO_BODY;
  if (framing.kind === "fault") return framing;
  const hasBody = framing.kind === "chunked" || (framing.kind === "length" && framing.length > 0);
  // RFC 9110 §9.3.8.
  if (method === "TRACE" && hasBody) return fault("a TRACE with a body");
  const { expect, authorization } = fields;
  // RFC 9110 §10.1.1.
  if (expect && !says(expect, "100-continue"))
    return fault(`Expect is ${quoted(trimmed(expect.raw))}, not 100-continue`, 417);
  const options = optionsOf(fields.connection);
  if ("kind" in options) return options;
  const mayUpgrade = method === "GET" && minor === 1 && !hasBody && options.includes("upgrade");
  const webSocketKey = mayUpgrade ? handshakeKey(fields) : undefined;
  return {
    kind: "request",
    method,
    target: target.text,
    minor,
    host: place.authority.text,
    name: place.authority.name,
    invalidName: place.invalidName,
    port: place.authority.port,
    framing,
    keepsAlive: minor === 1 && !options.includes("close"),
    expectsContinue: minor === 1 && hasBody && expect !== undefined,
    webSocketKey,
    wantsJson: prefersJson(fields.accept?.raw),
    isRepeatable: !hasBody && IDEMPOTENT.has(method),
    bindsConnection: authorization !== undefined && BINDING.test(authorization.raw),
    parts: { raw: head, line, fields, options },
  };
}

interface Place {
  readonly authority: Authority;
  readonly invalidName: string | undefined;
}

/** Where it is to go: the one Host (RFC 9112 §3.2), of HTTP/1.0 too, for nobody could judge it without. */
function placeOf({ target }: RequestLine, { host }: RequestFields): Place | Fault {
  if (!host) return fault("no Host");
  const text = trimmed(host.raw);
  const authority = authorityOf(text);
  if (!authority) return fault(`Host is ${quoted(text)}, which is no host`);
  if (target.authority && !isSamePlace(authority, target.authority, target.defaultPort))
    return fault(`the target names ${quoted(target.authority.text)}, and the Host ${quoted(text)}`);
  const invalidName = authority.name === undefined ? printable(text) : undefined;
  return { authority, invalidName };
}
