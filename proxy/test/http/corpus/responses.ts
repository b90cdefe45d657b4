import { family, type Hostile, type Row } from "./hostile.ts";

/**
 * Responses by which a hostile server could make the app, or another app behind the same proxy, take its words for the
 * answer to something else. By reference: RFC 9112 §4, §6.3 and §11.1 (response splitting); "HTTP Response Smuggling" and
 * "Response queue poisoning" (Kettle, 2022; Gil, 2021); llhttp's tests of responses. `bytes` answer one request, in one
 * piece; after them the server keeps the connection open, or with `ends` closes it.
 */
export interface HostileResponse extends Hostile {
  /** The request's method; GET where it is absent. */
  readonly to?: "HEAD";
  /** The request is a WebSocket handshake with WEB_SOCKET_KEY. */
  readonly webSocket?: true;
  /** The server closes in good order behind `bytes`: what is not refused there is no complete answer all the same. */
  readonly ends?: true;
}

/** RFC 6455 §1.3, and the accept value that belongs to it. */
export const WEB_SOCKET_KEY = "dGhlIHNhbXBsZSBub25jZQ==";
export const WEB_SOCKET_ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const FORGED = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged";
const ok = (fields: string, body: string) => `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n${body}`;
const chunked = (body: string) => ok("Transfer-Encoding: chunked", body);

const STATUS_LINE = "RFC 9112 §4: version, one space, three digits, one space, reason, CRLF";
const statusLines = family("status line", (line) => `${line}Content-Length: 2\r\n\r\nok`, [
  ["HTTP/1.1 200 OK\n", "RFC 9112 §2.2: a bare LF"],
  ["HTTP/1.1 200 OK\r", "RFC 9112 §2.2: a bare CR"],
  ["HTTP/1.1 200 OK\r\r\n", "RFC 9112 §2.2: a bare CR"],
  ["HTTP/1.1 200 O\rK\r\n", "RFC 9112 §2.2: a bare CR"],
  ["HTTP/1.1 200 O\0K\r\n", "a NUL"],
  ["HTTP/1.1 200 O\x01K\r\n", "a control"],
  ["HTTP/1.1 200 \x7f\r\n", "a control"],
  ["HTTP/1.1  200 OK\r\n", STATUS_LINE],
  ["HTTP/1.1\t200 OK\r\n", STATUS_LINE],
  ["HTTP/1.1 200\tOK\r\n", STATUS_LINE],
  [" HTTP/1.1 200 OK\r\n", STATUS_LINE],
  ["\r\nHTTP/1.1 200 OK\r\n", "RFC 9112 §2.2: for requests alone may an empty line be ignored"],
  ["\nHTTP/1.1 200 OK\r\n", "RFC 9112 §2.2"],
  ["HTTP/1.1 20 OK\r\n", STATUS_LINE],
  ["HTTP/1.1 2000 OK\r\n", STATUS_LINE],
  ["HTTP/1.1 020 OK\r\n", "RFC 9110 §15: 100 to 599"],
  ["HTTP/1.1 099 OK\r\n", "RFC 9110 §15: 100 to 599"],
  ["HTTP/1.1 2e2 OK\r\n", STATUS_LINE],
  ["HTTP/1.1 +20 OK\r\n", STATUS_LINE],
  ["HTTP/1.1 2x0 OK\r\n", STATUS_LINE],
  ["HTTP/1.1 OK\r\n", STATUS_LINE],
  ["HTTP/1.1\r\n", STATUS_LINE],
  ["HTTP/1.1 200OK\r\n", STATUS_LINE],
  ["HTTP/1.1 200,OK\r\n", STATUS_LINE],
  ["HTTP/1.1 \xb2\xb2\xb2 OK\r\n", STATUS_LINE],
  ["HTTP/0.9 200 OK\r\n", "RFC 9112 §2.3"],
  ["HTTP/1.2 200 OK\r\n", "RFC 9110 §2.5: a minor version nobody has defined", "legal"],
  ["HTTP/2.0 200 OK\r\n", "RFC 9112 §2.3"],
  ["HTTP/2 200 OK\r\n", "RFC 9112 §2.3"],
  ["HTTP/11 200 OK\r\n", "RFC 9112 §2.3"],
  ["HTTP/1.10 200 OK\r\n", "RFC 9112 §2.3"],
  ["HTTP/01.1 200 OK\r\n", "RFC 9112 §2.3"],
  ["http/1.1 200 OK\r\n", "RFC 9112 §2.3: the name is case-sensitive"],
  ["ICY 200 OK\r\n", "SHOUTcast"],
  ["RTSP/1.0 200 OK\r\n", "another protocol"],
  ["200 OK\r\n", STATUS_LINE],
  ["", "no status line"],
  ["<html>\r\n", "HTTP/0.9"],
  ["HTTP/1.1 200\r\n", "many servers leave out the space with the reason", "legal"],
  ["HTTP/1.1 200 \r\n", "RFC 9112 §4: the reason may be empty", "legal"],
  ["HTTP/1.1 200 \xe4\t!\r\n", "RFC 9112 §4: tabs and obs-text in the reason", "legal"],
  ["HTTP/1.1 999 Denied\r\n", "RFC 9110 §15: not defined, and servers send it", "legal"],
  ["HTTP/1.0 200 OK\r\n", "the older version", "legal"],
]);

const FIELD_LINE = "RFC 9112 §5: a name that is a token, a colon at once, a value, CRLF";
const FOLD = "RFC 9112 §5.2: a folded line, joined by some and read as a field by others";
const fields = family("field", (field) => ok(`Content-Length: 2\r\n${field}`, `ok${FORGED}`), [
  ["X: y\nZ: z", "RFC 9112 §2.2: a bare LF"],
  ["X: y\n", "RFC 9112 §2.2: a bare LF before the end"],
  ["X: y\n\nHTTP/1.1 200 OK", "LF LF is the end for some: the rest is the body"],
  ["X: y\n\r\nZ: z", "LF CR LF is the end for some"],
  ["X: y\r\n\nZ: z", "CR LF LF is the end for some"],
  ["X: y\rSet-Cookie: a=b", "RFC 9112 §2.2: a bare CR is the end of a line for some"],
  ["X: y\r\r\nZ: z", "RFC 9112 §2.2: a bare CR"],
  ["X : y", "RFC 9112 §5.1: a proxy must remove the space; we refuse", "legal"],
  ["X\t: y", "RFC 9112 §5.1: a proxy must remove the space; we refuse", "legal"],
  [" X: y", FOLD],
  ["X: y\r\n z", "RFC 9112 §5.2: a proxy may replace a fold by spaces; we refuse", "legal"],
  ["X: y\r\n\tContent-Length: 5", "RFC 9112 §5.2: a proxy may replace it; we refuse", "legal"],
  ["X:\r\n y", "RFC 9112 §5.2: a proxy may replace a fold by spaces; we refuse", "legal"],
  [": y", FIELD_LINE],
  ["X", FIELD_LINE],
  ["X Y: z", FIELD_LINE],
  ["X@Y: z", FIELD_LINE],
  ["HTTP/1.1 200 OK", FIELD_LINE],
  ["X\0: y", "a NUL"],
  ["X: a\0b", "a NUL"],
  ["X: a\x01b", "a control"],
  ["X: a\x0bb", "a control"],
  ["X: a\x7fb", "a control"],
  ["\xffX: y", FIELD_LINE],
  [`X: ${"a".repeat(70_000)}`, "larger than anybody reads"],
  [Array.from({ length: 1_000 }, (_, n) => `X-${n}: y`).join("\r\n"), "more than anybody counts"],
  ["X: \xa0y", "obs-text", "legal"],
  ["X:\t y \t", "white space around a value", "legal"],
  ["X-Sallyport-Reason: allowed.rule", "words put into our mouth; removed", "legal"],
]);

const LENGTH = "RFC 9112 §6.3: a length that is none; a proxy must answer 502";
const TWO = "RFC 9112 §6.3: more than one length";
const lengths = family("length", (field) => ok(field, `ok${FORGED}`), [
  ["Content-Length: 2\r\nContent-Length: 5", TWO],
  ["Content-Length: 2\r\nContent-Length: 2", `${TWO}, equal: may be made one`, "legal"],
  ["Content-Length: 2, 2", `${TWO}, equal: may be made one`, "legal"],
  ["Content-Length: 2,5", TWO],
  ["Content-Length: +2", LENGTH],
  ["Content-Length: -2", LENGTH],
  ["Content-Length: -1", LENGTH],
  ["Content-Length: 0x2", LENGTH],
  ["Content-Length: 2.0", LENGTH],
  ["Content-Length: 2e0", LENGTH],
  ["Content-Length: 2 2", LENGTH],
  ["Content-Length: 2a", LENGTH],
  ["Content-Length: 2;", LENGTH],
  ['Content-Length: "2"', LENGTH],
  ["Content-Length:", LENGTH],
  ["Content-Length: two", LENGTH],
  ["Content-Length: 2\x0b", "a control"],
  ["Content-Length: 2\0", "a NUL"],
  ["Content-Length: 2 ", "white space behind it", "legal"],
  ["Content-Length: 2\t", "white space behind it", "legal"],
  ["Content-Length:\t2", "white space before it", "legal"],
  ["Content-Length: 02", "digits", "legal"],
  ["Content-Length: 9007199254740992", "2^53"],
  ["Content-Length: 18446744073709551618", "2^64 + 2 becomes 2"],
  ["Content-Length: 4294967298", "2^32 + 2 becomes 2 to some", "unfinished"],
  ["Content-Length : 2", "RFC 9112 §5.1: a proxy must remove the space; we refuse", "legal"],
  ["Content-Length\0: 2", "a NUL in the name"],
  [" Content-Length: 2", FOLD],
  ["Content_Length: 2", "no length; the body ends with the connection", "legal"],
  ["Connection: Content-Length\r\nContent-Length: 2", "RFC 9110 §7.6.1: for every recipient"],
  ["Connection: Set-Cookie\r\nContent-Length: 2\r\nSet-Cookie: a=b", "RFC 9110 §7.6.1"],
  ["Connection: (x)\r\nContent-Length: 2", "RFC 9110 §7.6.1: options are tokens"],
]);

const CODING = "RFC 9112 §6.1, §7: the coding is chunked, and said in one way";
const codings = family("coding", (field) => ok(field, `2\r\nok\r\n0\r\n\r\n${FORGED}`), [
  ["Transfer-Encoding: chunked\r\nContent-Length: 2", "RFC 9112 §6.3: both lengths"],
  ["Content-Length: 12\r\nTransfer-Encoding: chunked", "RFC 9112 §6.3: both lengths"],
  ["Content-Length: 0\r\nTransfer-Encoding: chunked", "RFC 9112 §6.3: both lengths"],
  ["Content-Length: 12\r\nTransfer-Encoding: identity", "RFC 9112 §6.3: both lengths"],
  ["Transfer-Encoding: xchunked", CODING],
  ["Transfer-Encoding: identity", "RFC 9112 §7: no coding any longer"],
  ["Transfer-Encoding: chunked, identity", CODING],
  ["Transfer-Encoding: chunked, chunked", "RFC 9112 §7.1: chunked only once"],
  ["Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "RFC 9112 §7.1: only once"],
  ["Transfer-Encoding: gzip, chunked", "a coding that we do not undo", "legal"],
  ["Transfer-Encoding: gzip", "RFC 9112 §6.3: ends with the connection", "legal"],
  ["Transfer-Encoding: chunked, gzip", "RFC 9112 §6.3: ends with the connection", "legal"],
  ["Transfer-Encoding: chunked;a=b", CODING],
  ['Transfer-Encoding: "chunked"', CODING],
  ["Transfer-Encoding:", CODING],
  ["Transfer-Encoding: chunked ", "white space behind it", "legal"],
  ["Transfer-Encoding:\tchunked", "white space before it", "legal"],
  ["Transfer-Encoding: ,chunked", "RFC 9110 §5.6.1: empty elements may be ignored", "legal"],
  ["Transfer-Encoding:\x0bchunked", "a control"],
  ["Transfer-Encoding: chunked\0", "a NUL"],
  ["Transfer-Encoding: \xa0chunked", CODING],
  ["Transfer-Encoding : chunked", "RFC 9112 §5.1: must be removed; we refuse", "legal"],
  ["X: y\r\n Transfer-Encoding: chunked", "RFC 9112 §5.2: may be replaced; we refuse", "legal"],
  ["Transfer-Encoding: Chunked", "RFC 9112 §7: case-insensitive", "legal"],
  ["Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked", "RFC 9110 §7.6.1"],
]);

const SIZE = "RFC 9112 §7.1: one or more hexadecimal digits";
const chunkHeads = family("chunk", (head) => chunked(`${head}ok\r\n0\r\n\r\n${FORGED}`), [
  ["+2\r\n", SIZE],
  ["-2\r\n", SIZE],
  ["0x2\r\n", SIZE],
  ["2g\r\n", SIZE],
  ["\r\n", SIZE],
  [" 2\r\n", SIZE],
  ["2 \r\n", "a space that some senders pad with; RFC 9112 has none"],
  ["2\t\r\n", SIZE],
  ["2\0\r\n", "a NUL"],
  ["2\n", "a bare LF"],
  ["2\r", "a bare CR"],
  ["2\r\r\n", "a bare CR"],
  ["2;a\n", "a bare LF ends the extension for some"],
  ["2;\n", "a bare LF ends the extension for some"],
  ["2;a\rb\r\n", "a bare CR in the extension"],
  ["2;a=\r\n", "RFC 9112 §7.1.1: no chunk extension"],
  ["2; a\r\n", "RFC 9112 §7.1.1: white space there is for bad senders", "legal"],
  ["2;a=b\r\n", "an extension", "legal"],
  ["02\r\n", "a leading zero", "legal"],
  ["10000000000000002\r\n", "2^64 + 2 becomes 2"],
  ["20000000000000\r\n", "2^53"],
  [`2;a=${"b".repeat(70_000)}\r\n`, "an extension without end"],
]);

const chunkBodies: readonly HostileResponse[] = [
  ["2\r\nokX\r\n0\r\n\r\n", "a byte more than the size says"],
  ["2\r\nok0\r\n\r\n", "no CRLF behind the data"],
  ["2\r\nok\n0\r\n\r\n", "a bare LF behind the data"],
  ["2\r\nok\r\n0\r\nContent-Length: 5\r\n\r\n", "RFC 9110 §6.5.1: not a field for trailers"],
  ["2\r\nok\r\n0\r\nSet-Cookie: a=b\r\n\r\n", "RFC 9110 §6.5.1: not a field for trailers"],
  ["2\r\nok\r\n0\r\nX : y\r\n\r\n", "RFC 9112 §5.1: a space before the colon"],
  ["2\r\nok\r\n0\r\nX: y\n\r\n", "a bare LF in the trailers"],
  ["2\r\nok\r\n0\r\n\n", "a bare LF at the end"],
  ["2\r\nok\r\n0\n\n", "bare LFs at the end"],
  ["2\r\nok\r\n0\r\nHTTP/1.1 200 OK\r\n\r\n", "a status line where a trailer belongs"],
].map(([body = "", why = ""]) => ({
  name: `chunked body ${JSON.stringify(body)}`,
  bytes: chunked(`${body}${FORGED}`),
  why,
}));

const NO_BODY = "RFC 9112 §6.3: it has no body, whatever its fields say";
const bodiless: readonly HostileResponse[] = (
  [
    ["HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", "RFC 9110 §8.6: no length there"],
    ["HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "RFC 9112 §6.1"],
    ["HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "RFC 9110 §8.6; harmless", "legal"],
    [
      `HTTP/1.1 204 No Content\r\n\r\n${FORGED}`,
      `${NO_BODY}: what follows answers nothing`,
      "legal",
    ],
    ["HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhello", "RFC 9110 §8.6: no length there"],
    ["HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "RFC 9112 §6.1"],
    [`HTTP/1.1 304 Not Modified\r\nContent-Length: 44\r\n\r\n${FORGED}`, NO_BODY, "legal"],
    [`HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n${FORGED}`, NO_BODY, "legal"],
    ["HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", TWO],
    ["HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "RFC 9112 §6.1"],
  ] as readonly Row[]
).map(([bytes, why, legal]) => ({
  name: `bodiless or older ${JSON.stringify(bytes.slice(0, 70))}`,
  bytes,
  why,
  ...(legal && { legal: true }),
}));

const toHead: readonly HostileResponse[] = [
  {
    name: "HEAD answered with a body",
    bytes: `HTTP/1.1 200 OK\r\nContent-Length: 44\r\n\r\n${FORGED}`,
    why: `${NO_BODY}: what follows answers nothing`,
    to: "HEAD",
    legal: true,
  },
  {
    name: "HEAD answered with both lengths",
    bytes: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    why: "RFC 9112 §6.3: both lengths",
    to: "HEAD",
  },
  {
    name: "HEAD answered with a length that is none",
    bytes: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    why: LENGTH,
    to: "HEAD",
  },
];

const switching = (fields: string) => `HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n\r\n`;
const ASKED = "RFC 6455 §4.1: the client must fail the connection";
const switches: readonly HostileResponse[] = [
  {
    name: "101 that nobody asked for",
    bytes: switching("Connection: Upgrade\r\nUpgrade: websocket"),
    why: "RFC 9110 §7.8: only what was asked for; all that follows would be unjudged",
  },
  {
    name: "101 without fields",
    bytes: "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    why: "RFC 9110 §15.2.2",
  },
  {
    name: "101 to h2c that was not asked for",
    bytes: switching("Connection: Upgrade\r\nUpgrade: h2c"),
    why: "RFC 9110 §7.8",
  },
  ...family("101 to WebSocket", switching, [
    ["Connection: Upgrade\r\nUpgrade: websocket", `${ASKED}: no accept value`],
    [
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
      `${ASKED}: a wrong accept value`,
    ],
    [`Upgrade: websocket\r\nSec-WebSocket-Accept: ${WEB_SOCKET_ACCEPT}`, `${ASKED}: no Connection`],
    [`Connection: Upgrade\r\nSec-WebSocket-Accept: ${WEB_SOCKET_ACCEPT}`, `${ASKED}: no Upgrade`],
    [
      `Connection: Upgrade\r\nUpgrade: h2c\r\nSec-WebSocket-Accept: ${WEB_SOCKET_ACCEPT}`,
      `${ASKED}: another protocol`,
    ],
    [
      `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${WEB_SOCKET_ACCEPT}\r\nContent-Length: 5`,
      "RFC 9110 §8.6: no length there",
    ],
    [
      `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${WEB_SOCKET_ACCEPT}\r\nTransfer-Encoding: chunked`,
      "RFC 9112 §6.1: no coding there",
    ],
    [
      `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${WEB_SOCKET_ACCEPT}\r\nSec-WebSocket-Accept: ${WEB_SOCKET_ACCEPT}`,
      "RFC 6455 §11.3.3: only once",
    ],
    [
      `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${WEB_SOCKET_ACCEPT}`,
      "as it should be",
      "legal",
    ],
  ]).map((response) => ({ ...response, webSocket: true as const })),
];

const CUT = "RFC 9112 §8: incomplete; it must not look complete";
const truncated: readonly HostileResponse[] = (
  [
    ["", "nothing at all"],
    ["HTTP/1.1 200 OK\r\n", "cut in the head"],
    ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", "cut before the empty line"],
    ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", CUT],
    ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", CUT],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", CUT],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", CUT],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello", CUT],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", CUT],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0", CUT],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", CUT],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n", CUT],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r", CUT],
    ["HTTP/1.1 100 Continue\r\n\r\n", "RFC 9110 §15.2: an interim response is no answer"],
  ] as readonly Row[]
).map(([bytes, why]) => ({ name: `truncated ${JSON.stringify(bytes)}`, bytes, why, ends: true }));

const surplus: readonly HostileResponse[] = [
  ok("Content-Length: 2", `ok${FORGED}`),
  chunked(`2\r\nok\r\n0\r\n\r\n${FORGED}`),
  ok("Content-Length: 0", FORGED),
  ok("Content-Length: 2", "okX"),
].map((bytes, index) => ({
  name: `surplus ${index + 1}`,
  bytes,
  why: "RFC 9112 §9.2: what nobody asked for must never answer the next request",
  legal: true,
}));

export const RESPONSES: readonly HostileResponse[] = [
  ...statusLines,
  ...fields,
  ...lengths,
  ...codings,
  ...chunkHeads,
  ...chunkBodies,
  ...bodiless,
  ...toHead,
  ...switches,
  ...truncated,
  ...surplus,
];
