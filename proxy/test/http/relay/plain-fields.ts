/**
 * A second reader of HTTP/1, for tests alone, that shares no line with the one it is held against. It knows only what
 * nobody reads in two ways; all else it calls unclear, and says why. Text is latin1, a character a byte.
 */
export class Unclear extends Error {}

/** What has not come to its end. */
export class Unfinished extends Error {}

/** Names in lower case, values without the white space around them. */
export type PlainField = readonly [name: string, value: string];

export type PlainBody =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" };

const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)$/;
/** RFC 9110 §6.5.1: some of what must not stand behind a body. */
const NO_TRAILER =
  /^(?:content-(?:length|type|encoding|range)|transfer-encoding|host|trailer|connection|authorization|cookie|set-cookie)$/;
/** As senders may write it (RFC 9112 §7.1), and as we write it: no extension, no leading zero. */
const SIZE_LINE =
  /^([0-9A-Fa-f]{1,16})(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"))?)*$/;
const OUR_SIZE_LINE = /^(0|[1-9A-Fa-f][0-9A-Fa-f]{0,15})$/;

/** `as_sent` by anybody, or `as_forwarded` by us: of the latter less is forgiven. */
export type Manner = "as_sent" | "as_forwarded";

/** Lines up to the empty one, each ended by CRLF and without any other CR or LF, and where they end. */
export function linesFrom(text: string, at: number): { lines: string[]; end: number } {
  if (text.startsWith("\r\n", at)) return { lines: [], end: at + 2 };
  const last = text.indexOf("\r\n\r\n", at);
  const part = text.slice(at, last < 0 ? undefined : last + 2);
  if (/\r(?!\n|$)|(?<!\r)\n/.test(part)) throw new Unclear("a bare CR or LF");
  if (last < 0) throw new Unfinished();
  return { lines: part.slice(0, -2).split("\r\n"), end: last + 4 };
}

export function fieldOf(line: string): PlainField {
  const [, name, value] = FIELD.exec(line) ?? [];
  if (name === undefined || value === undefined)
    throw new Unclear(`no field: ${JSON.stringify(line.slice(0, 80))}`);
  return [name.toLowerCase(), value.replace(/^[\t ]*|[\t ]*$/g, "")];
}

export function valuesOf(fields: readonly PlainField[], name: string): readonly string[] {
  return fields.filter(([each]) => each === name).map(([, value]) => value);
}

/** RFC 9112 §6.3, where it leaves no doubt; undefined where nothing is said. */
export function bodyOf(lines: readonly string[], minor: number): PlainBody | undefined {
  const framing = lines.filter((line) =>
    /^(?:content[-_]length|transfer[-_]encoding):/i.test(line),
  );
  const [line] = framing;
  if (line === undefined) return undefined;
  if (framing.length > 1) throw new Unclear(`two that frame: ${JSON.stringify(framing)}`);
  const length = /^content-length: ?(0|[1-9][0-9]{0,15})$/i.exec(line)?.[1];
  if (length !== undefined && Number.isSafeInteger(Number(length)))
    return { kind: "length", length: Number(length) };
  if (minor === 1 && /^transfer-encoding: ?chunked$/i.test(line)) return { kind: "chunked" };
  throw new Unclear(`framed by ${JSON.stringify(line.slice(0, 80))}`);
}

export interface ReadBody {
  readonly body: string;
  readonly trailers: readonly PlainField[];
  readonly end: number;
}

/** Throws where it is not complete. */
export function readBody(text: string, at: number, framing: PlainBody, manner: Manner): ReadBody {
  if (framing.kind === "none") return { body: "", trailers: [], end: at };
  if (framing.kind === "chunked") return readChunks(text, at, manner);
  const end = at + framing.length;
  if (end > text.length) throw new Unfinished();
  return { body: text.slice(at, end), trailers: [], end };
}

function readChunks(text: string, start: number, manner: Manner): ReadBody {
  let body = "";
  for (let at = start; ; ) {
    const lineEnd = text.indexOf("\n", at);
    if (lineEnd < 0) throw new Unfinished();
    const line = text.slice(at, lineEnd - 1);
    const pattern = manner === "as_sent" ? SIZE_LINE : OUR_SIZE_LINE;
    const [, digits] = pattern.exec(line) ?? [];
    if (digits === undefined || text[lineEnd - 1] !== "\r")
      throw new Unclear(`no chunk's size: ${JSON.stringify(line.slice(0, 80))}`);
    const size = Number.parseInt(digits, 16);
    if (!Number.isSafeInteger(size)) throw new Unclear(`a chunk of ${digits}`);
    at = lineEnd + 1;
    if (size === 0) {
      const { lines, end } = linesFrom(text, at);
      const trailers = lines.map(fieldOf);
      for (const [name] of trailers)
        if (NO_TRAILER.test(name)) throw new Unclear(`a trailer ${name}`);
      return { body, trailers, end };
    }
    const end = text.slice(at + size, at + size + 2);
    if (!"\r\n".startsWith(end)) throw new Unclear("no CRLF behind a chunk");
    if (end.length < 2) throw new Unfinished();
    body += text.slice(at, at + size);
    at += size + 2;
  }
}

/** One after the other until there is nothing, or nothing that can be read. */
export interface Reading<M> {
  readonly messages: readonly M[];
  /** Behind the last one. */
  readonly end: number;
  /** What is there then. */
  readonly rest: "nothing" | "unfinished" | { readonly unclear: string };
}

export function readAll<M extends { readonly end: number }>(
  text: string,
  readOne: (at: number, index: number) => M,
): Reading<M> {
  const messages: M[] = [];
  let at = 0;
  const stopped = (rest: Reading<M>["rest"]) => ({ messages, end: at, rest });
  while (at < text.length) {
    try {
      const message = readOne(at, messages.length);
      messages.push(message);
      at = message.end;
    } catch (error) {
      if (error instanceof Unfinished) return stopped("unfinished");
      if (error instanceof Unclear) return stopped({ unclear: error.message });
      throw error;
    }
  }
  return stopped("nothing");
}
