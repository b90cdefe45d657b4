import { linesNamed } from "./connection-options.ts";
import { Edits, type Line } from "./edits.ts";
import type { RequestFields } from "./request-fields.ts";
import type { RequestLine } from "./request-line.ts";

/** A head that has been read, as it came. */
export interface RequestParts {
  readonly raw: string;
  readonly line: RequestLine;
  readonly fields: RequestFields;
  /** Of Connection. */
  readonly options: readonly string[];
}

/** Options whose fields, where they have any, are dealt with here by name. */
const OWN = ["close", "keep-alive", "te", "upgrade", "http2-settings", "connection"];
/** RFC 9110 §10.1.4: of TE this alone can be promised for what is passed on. */
const TRAILERS = /(?:^|,)[\t ]*trailers[\t ]*(?:,|$)/i;

/**
 * What does not go on as it came: what is for this hop alone (RFC 9110 §7.6.1), an absolute form (RFC 9112 §3.2.2), and the
 * version of an HTTP/1.0 app, for what is sent is of our own version (RFC 9112 §2.3). `Connection: keep-alive` is as true of
 * our connection, which stays open whether the app's does or not, and `upgrade` is with a WebSocket handshake.
 */
export function requestEdits(
  { raw, line, fields, options }: RequestParts,
  isWebSocket: boolean,
): Edits {
  const edits = new Edits(raw);
  const { connection, te, hop, upgrade, expect } = fields;
  if (!line.isPlain)
    edits.replace({ start: 0, end: line.end }, `${line.method} ${line.target.text} HTTP/1.1\r\n`);
  edits.drop(hop);
  edits.drop(te);
  if (upgrade && !isWebSocket) edits.drop([upgrade]);
  // RFC 9110 §10.1.1: of HTTP/1.0 it is to be ignored.
  if (expect && line.minor === 0) edits.drop([expect]);
  const isTrue = (option: string) =>
    option === "keep-alive" || (option === "upgrade" && isWebSocket);
  if (!te && options.every(isTrue)) return edits;
  edits.drop(connection);
  edits.drop(nominated(raw, line.end, options));
  const trailers = te?.some(({ raw: value }) => TRAILERS.test(value)) ?? false;
  const said = [...(isWebSocket ? ["upgrade"] : []), ...(trailers ? ["te"] : [])];
  if (said.length > 0) edits.add(`connection: ${said.join(", ")}`);
  if (trailers) edits.add("te: trailers");
  return edits;
}

function nominated(raw: string, at: number, options: readonly string[]): readonly Line[] {
  const names = options.filter((option) => !OWN.includes(option));
  return names.length === 0 ? [] : linesNamed(raw, at, names);
}
