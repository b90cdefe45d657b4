import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyReader } from "../../src/http/message/body.ts";
import type { Framing } from "../../src/http/message/framing.ts";

const CHUNKED: Framing = { kind: "chunked" };

interface Read {
  readonly parts: readonly Buffer[];
  readonly sent: string;
  readonly rest: string;
  readonly done: boolean;
  readonly problem: string | undefined;
}

/** All pieces one after the other, each in memory of its own. */
function read(framing: Framing, pieces: readonly string[], form?: "bare"): Read {
  const reader = bodyReader(framing, form);
  const parts: Buffer[] = [];
  let rest = "";
  for (const piece of pieces) {
    const bytes = Buffer.from(piece, "latin1");
    const end = reader.done ? 0 : reader.read(bytes, 0, (part) => parts.push(part));
    rest += bytes.toString("latin1", end);
  }
  const sent = Buffer.concat(parts).toString("latin1");
  return { parts, sent, rest, done: reader.done, problem: reader.fault?.problem };
}

const chunked = (body: string, form?: "bare") => read(CHUNKED, [body], form);

for (const [framing, pieces, sent, rest, done] of [
  [{ kind: "none" }, ["GET /"], "", "GET /", true],
  [{ kind: "length", length: 0 }, ["GET /"], "", "GET /", true],
  [{ kind: "length", length: 5 }, ["helloGET /"], "hello", "GET /", true],
  [{ kind: "length", length: 5 }, ["hel", "lo", "GET /"], "hello", "GET /", true],
  [{ kind: "length", length: 5 }, ["hell"], "hell", "", false],
  [{ kind: "until_close" }, ["hello", "\r\n0\r\n\r\n"], "hello\r\n0\r\n\r\n", "", false],
] as const)
  test(`${JSON.stringify(framing)} of ${JSON.stringify(pieces)} is ${JSON.stringify(sent)}`, () => {
    const { parts: _, ...outcome } = read(framing, pieces);
    assert.deepEqual(outcome, { sent, rest, done, problem: undefined });
  });

const TWO_CHUNKS = "5\r\nhello\r\n1A\r\n, this has 26 bytes in all\r\n0\r\n\r\n";

for (const [what, body, sent = body, bare = "hello"] of [
  ["chunks as they should be", TWO_CHUNKS, TWO_CHUNKS, "hello, this has 26 bytes in all"],
  ["no chunk but the last", "0\r\n\r\n", "0\r\n\r\n", ""],
  ["a last chunk of many zeros", "5\r\nhello\r\n0000\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"],
  ["leading zeros", "0005\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"],
  ["sixteen digits", "0000000000000005\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"],
  ["an extension", "5;a\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"],
  [
    "extensions with values",
    '5;a=b;c="d\\"\t;"\r\nhello\r\n0;e\r\n\r\n',
    "5\r\nhello\r\n0\r\n\r\n",
  ],
  ["zeros and an extension", "00;a\r\n\r\n", "0\r\n\r\n", ""],
  ["a trailer", "5\r\nhello\r\n0\r\nX: y\r\n\r\n"],
  ["two trailers", "5\r\nhello\r\n0\r\nX: y\r\nZ:\r\n\r\n"],
  ["capital digits", "A\r\n0123456789\r\n0\r\n\r\n", undefined, "0123456789"],
] as const)
  for (const form of [undefined, "bare"] as const)
    test(`${what}${form ? ", to be given bare," : ""}: the same in any two pieces, and byte by byte`, () => {
      const expected = form ? bare : (sent ?? body);
      const rest = "GET / HTTP/1.1\r\n";
      const cuts = Array.from({ length: body.length + 1 }, (_, at) => [
        body.slice(0, at),
        body.slice(at) + rest,
      ]);
      for (const pieces of [...cuts, [...body, rest]]) {
        const { parts: _, ...outcome } = read(CHUNKED, pieces, form);
        assert.deepEqual(outcome, { sent: expected, rest, done: true, problem: undefined });
      }
    });

test("what came in one piece goes on in one piece, and is not copied", () => {
  const bytes = Buffer.from(`head${TWO_CHUNKS.repeat(1)}next`);
  const parts: Buffer[] = [];
  const reader = bodyReader(CHUNKED);
  assert.equal(
    reader.read(bytes, 4, (part) => parts.push(part)),
    bytes.length - 4,
  );
  const [only, ...others] = parts;
  assert.ok(only && others.length === 0);
  assert.equal(only.buffer, bytes.buffer);
  assert.equal(only.toString(), TWO_CHUNKS);
});

test("an extension costs two pieces, and a piece in the middle of a chunk one", () => {
  assert.equal(chunked("5;a\r\nhello\r\n0\r\n\r\n").parts.length, 2);
  assert.deepEqual(read(CHUNKED, ["a\r\n01234", "567", "89\r\n0\r\n\r\n"]).parts.length, 3);
});

for (const [what, body, problem] of [
  ["a signed size", "+5\r\nhello", /"\+" where a chunk's size/],
  ["a prefixed size", "0x5\r\nhello", /"x" where a chunk's size/],
  ["no size", "\r\nhello", /"\\x0d" where a chunk's size/],
  ["a space before the size", " 5\r\nhello", /" " where a chunk's size/],
  ["a space behind the size", "5 \r\nhello", /" " where a chunk's size/],
  ["a bare LF behind the size", "5\nhello", /"\\x0a" where a chunk's size/],
  ["a bare CR behind the size", "5\rhello", /"h" behind a chunk's size, where a CRLF/],
  ["2^53", "20000000000000\r\n", /2\^53/],
  ["seventeen digits", "00000000000000005\r\n", /16 digits/],
  ["a byte too many", "5\r\nhello!\r\n", /"!" behind a chunk's data, where a CRLF/],
  ["a bare LF behind the data", "5\r\nhello\n", /"\\x0a" behind a chunk's data/],
  ["a bare CR behind the data", "5\r\nhello\r0", /"0" behind a chunk's data/],
  ["an empty extension", "5;\r\nhello", /not an extension: ";"/],
  ["an extension without its value", "5;a=\r\nhello", /not an extension/],
  ["a space in an extension", "5; a\r\nhello", /not an extension/],
  ["a bare LF in an extension", "5;a\nb", /a bare LF in a chunk's extension/],
  ["a bare LF in a quoted extension", '5;a="\n"', /a bare LF in a chunk's extension/],
  ["an extension without end", `5;a=${"b".repeat(300)}`, /longer than 256 bytes/],
  ["a bare LF at the end", "0\r\n\n", /bare LF/],
  ["a bare CR at the end", "0\r\n\rX", /"X" at the end of a chunked body, where a CRLF/],
  ["a forbidden trailer", "0\r\nContent-Length: 5\r\n\r\n", /a trailer content-length/],
  ["a forbidden trailer, in capitals", "0\r\nX: y\r\nHOST: b\r\n\r\n", /a trailer host/],
  ["words put into our mouth", "0\r\nX-Sallyport-Reason: x\r\n\r\n", /a trailer x-sallyport-/],
  ["a folded trailer", "0\r\nX: y\r\n z\r\n\r\n", /went on from the last/],
  ["a trailer that ends in a bare LF", "0\r\nX: y\n\r\n", /bare LF/],
  ["trailers of 16 KiB", `0\r\nX: ${"y".repeat(16_400)}`, /more than 16384 bytes/],
  ["65 trailers", `0\r\n${"X: y\r\n".repeat(65)}\r\n`, /more than 64 fields/],
] as const)
  test(`${what} is a fault, whether whole or byte by byte, and bare too`, () => {
    for (const pieces of [[body], [...body]])
      for (const form of [undefined, "bare"] as const) {
        const outcome = read(CHUNKED, pieces, form);
        assert.match(outcome.problem ?? "none", problem);
        assert.ok(!outcome.done && !outcome.sent.endsWith("\r\n\r\n"));
      }
  });

test("after a fault nothing more is read or sent", () => {
  const reader = bodyReader(CHUNKED);
  const parts: Buffer[] = [];
  reader.read(Buffer.from("x"), 0, (part) => parts.push(part));
  assert.equal(
    reader.read(Buffer.from("0\r\n\r\n"), 0, (part) => parts.push(part)),
    0,
  );
  assert.ok(!reader.done && parts.length === 0);
});
