import {
  bodyOf,
  fieldOf,
  linesFrom,
  type Manner,
  type PlainField,
  type Reading,
  readAll,
  readBody,
  Unclear,
  valuesOf,
} from "./plain-fields.ts";

export interface PlainRequest {
  readonly method: string;
  /** A path with its query, or `*`. */
  readonly target: string;
  readonly host: string;
  readonly minor: number;
  readonly fields: readonly PlainField[];
  readonly body: string;
  readonly trailers: readonly PlainField[];
  /** Where it ends in what was read. */
  readonly end: number;
}

const LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21\x22\x24-\x7e\x80-\xff]+) HTTP\/1\.([01])$/;
const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z\-._~!$&'()*+,;=%]+)(?::[0-9]*)?$/;

/** Requests, as far as there is only one way to read them. */
export function readRequests(text: string, manner: Manner): Reading<PlainRequest> {
  return readAll(text, (at) => readRequest(text, at, manner));
}

function readRequest(text: string, at: number, manner: Manner): PlainRequest {
  const { lines, end } = linesFrom(text, at);
  const [line = "", ...rest] = lines;
  const [, method = "", asked = "", digit] = LINE.exec(line) ?? [];
  if (digit === undefined)
    throw new Unclear(`no request line: ${JSON.stringify(line.slice(0, 80))}`);
  if (/^(?:connect|head|trace)$/i.test(method) && !/^(?:HEAD|TRACE)$/.test(method))
    throw new Unclear(`the method ${method}`);
  const minor = Number(digit);
  if (manner === "as_forwarded" && minor !== 1) throw new Unclear("forwarded as HTTP/1.0");
  const fields = rest.map(fieldOf);
  const [host, ...others] = valuesOf(fields, "host");
  if (host === undefined || others.length > 0 || !HOST.test(host)) throw new Unclear("its Host");
  const target = targetOf(method, asked, host, manner);
  const framing = bodyOf(rest, minor) ?? { kind: "none" };
  const { body, trailers, end: over } = readBody(text, end, framing, manner);
  return { method, target, host, minor, fields, body, trailers, end: over };
}

function targetOf(method: string, asked: string, host: string, manner: Manner): string {
  if (asked.startsWith("/") || (asked === "*" && method === "OPTIONS")) return asked;
  const [, named, path = ""] = /^https?:\/\/([^/?]+)(.*)$/i.exec(asked) ?? [];
  if (named === undefined || manner === "as_forwarded" || placeOf(named) !== placeOf(host))
    throw new Unclear(`the target ${JSON.stringify(asked.slice(0, 80))}`);
  if (path === "" && method === "OPTIONS") return "*";
  return path.startsWith("/") ? path : `/${path}`;
}

/** Port 80 is that of `http` where none is named. */
function placeOf(authority: string): string {
  return authority.toLowerCase().replace(/:(?:80)?$/, "");
}
