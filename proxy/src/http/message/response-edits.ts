import { linesNamed } from "./connection-options.ts";
import { Edits } from "./edits.ts";
import type { ResponseFields } from "./response-fields.ts";
import type { StatusLine } from "./status-line.ts";

/** A head that has been read, as it came. */
export interface ResponseParts {
  readonly raw: string;
  readonly line: StatusLine;
  readonly fields: ResponseFields;
  /** Of Connection. */
  readonly options: readonly string[];
}

/** What becomes of the connection that the response goes to. */
export interface Onward {
  readonly closes: boolean;
  /** The upstream's connection goes on as well: what it says of that is true of the app's. */
  readonly isPinned: boolean;
  /** The body goes on without its chunks. */
  readonly isBare: boolean;
}

/** Options whose fields, where they have any, are dealt with here by name. */
const OWN = ["close", "keep-alive", "upgrade", "te", "proxy-connection", "trailer", "connection"];

/**
 * What does not go on as it came: what is for this hop alone (RFC 9110 §7.6.1), a length where there must be none (§8.6), and
 * any version but ours.
 */
export function responseEdits(
  { raw, line, fields, options }: ResponseParts,
  { closes, isPinned, isBare }: Onward,
): Edits {
  const edits = new Edits(raw);
  const { status } = line;
  const { connection, keepAlive, hop, upgrade, length, coding, trailer } = fields;
  const switches = status === 101;
  if (!line.isPlain)
    edits.replace({ start: 0, end: line.end }, `HTTP/1.1 ${status} ${line.reason}\r\n`);
  edits.drop(hop);
  if (upgrade && !switches) edits.drop([upgrade]);
  if (length && (status < 200 || status === 204)) edits.drop([length]);
  if (closes || !isPinned) edits.drop(keepAlive);
  if (isBare) {
    if (coding) edits.drop([coding]);
    edits.drop(trailer);
  }
  const said = saying(closes, switches);
  const isTrue = closes
    ? options.length > 0 && options.every((option) => option === "close")
    : options.every((option) => option === "keep-alive" || option === said);
  if (isTrue) return edits;
  edits.drop(connection);
  const names = options.filter((option) => !OWN.includes(option));
  if (names.length > 0) edits.drop(linesNamed(raw, line.end, names));
  if (said) edits.add(`connection: ${said}`);
  return edits;
}

function saying(closes: boolean, switches: boolean): string | undefined {
  if (switches) return "upgrade";
  return closes ? "close" : undefined;
}
