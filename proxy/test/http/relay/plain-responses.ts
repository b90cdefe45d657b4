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
  Unfinished,
} from "./plain-fields.ts";

export interface PlainResponse {
  readonly status: number;
  readonly fields: readonly PlainField[];
  readonly body: string;
  readonly trailers: readonly PlainField[];
  /** The connection's end ended it. */
  readonly untilClose: boolean;
  /** Of the interim responses before it. */
  readonly interim: readonly number[];
  readonly end: number;
}

const LINE = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/;

/**
 * The answers to requests by these methods, in their order, as far as there is only one way to read them: what is there
 * beside them is unclear. `hasEnded`: the connection did, in good order.
 */
export function readResponses(
  text: string,
  methods: readonly string[],
  hasEnded: boolean,
  manner: Manner,
): Reading<PlainResponse> {
  return readAll(text, (at, index) => {
    const method = methods[index];
    if (method === undefined) throw new Unclear("more answers than were asked for");
    return readResponse(text, at, method, hasEnded, manner);
  });
}

function readResponse(
  text: string,
  start: number,
  method: string,
  hasEnded: boolean,
  manner: Manner,
): PlainResponse {
  const interim: number[] = [];
  for (let at = start; ; ) {
    if (at === text.length) throw new Unfinished();
    const { lines, end } = linesFrom(text, at);
    const [line = "", ...rest] = lines;
    const [, minor, digits] = LINE.exec(line) ?? [];
    if (digits === undefined)
      throw new Unclear(`no status line: ${JSON.stringify(line.slice(0, 80))}`);
    const status = Number(digits);
    const fields = rest.map(fieldOf);
    const said = bodyOf(rest, Number(minor));
    if ((status < 200 || status === 204) && said && !(said.kind === "length" && said.length === 0))
      throw new Unclear(`a ${status} with a body`);
    if (status < 200 && status !== 101) {
      interim.push(status);
      at = end;
      continue;
    }
    const hasNone = status === 101 || status === 204 || status === 304 || method === "HEAD";
    const framing = hasNone ? ({ kind: "none" } as const) : said;
    if (!framing) {
      if (!hasEnded) throw new Unfinished();
      const body = text.slice(end);
      return { status, fields, body, trailers: [], untilClose: true, interim, end: text.length };
    }
    const { body, trailers, end: over } = readBody(text, end, framing, manner);
    return { status, fields, body, trailers, untilClose: false, interim, end: over };
  }
}
