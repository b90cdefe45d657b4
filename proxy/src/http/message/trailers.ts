import { type Fault, fault } from "./fault.ts";
import { known, readFields } from "./fields.ts";

/** Of a trailer section, in bytes and in fields. */
export const TRAILER_LIMITS = { bytes: 16_384, fields: 64 } as const;

/**
 * What must not come behind a body (RFC 9110 §6.5.1): what frames it, routes it, says how to read it, authenticates, or
 * steers the response. Whoever took it for a header field would read another message.
 */
const FORBIDDEN = known([
  ...["content-length", "transfer-encoding", "host", "trailer", "connection", "keep-alive", "te"],
  ...["upgrade", "http2-settings", "proxy-connection", "content_length", "transfer_encoding"],
  ...["content-encoding", "content-type", "content-range", "content-location", "content-language"],
  ...["authorization", "proxy-authorization", "proxy-authenticate", "www-authenticate"],
  ...["cookie", "cookie2", "set-cookie", "set-cookie2", "expect", "max-forwards", "range"],
  ...["cache-control", "pragma", "if-match", "if-none-match", "if-modified-since"],
  ...["if-unmodified-since", "if-range", "age", "expires", "date", "location", "retry-after"],
  ...["vary", "warning", "forwarded", "via", "x-forwarded-for", "x-forwarded-host"],
  ...["x-forwarded-proto", "x-sallyport-"],
]);

/** What is wrong with a trailer section, latin1, its empty line included. */
export function trailersFault(section: string): Fault | undefined {
  const fields = readFields(section, 0, FORBIDDEN, TRAILER_LIMITS);
  if ("kind" in fields) return fields;
  const [wrong] = fields;
  return wrong && fault(`a trailer ${wrong.name}, which belongs into the head`);
}
