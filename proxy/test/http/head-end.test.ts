import assert from "node:assert/strict";
import { test } from "node:test";
import { endOfHead } from "../../src/http/message/head-end.ts";

for (const [what, text, end] of [
  ["a head and its body", "GET / HTTP/1.1\r\nX: y\r\n\r\nbody\r\n\r\n", 24],
  ["a head of one line", "GET / HTTP/1.1\r\n\r\n", 18],
  ["one whose empty line is a bare LF", "GET / HTTP/1.1\r\nX: y\r\n\nbody", 23],
  ["one with bare LFs alone", "GET / HTTP/1.1\nX: y\n\nbody", 21],
  ["one with bare LFs, and a sound end later", "GET / HTTP/1.1\n\nX: y\r\n\r\n", 24],
  ["an unfinished one", "GET / HTTP/1.1\r\nX: y\r\n\r", -1],
  ["an unfinished one with an empty value", "GET / HTTP/1.1\r\nX:\r\n", -1],
  ["nothing", "", -1],
] as const)
  test(`of ${what}, the end is ${end < 0 ? "not there yet" : "found"}`, () => {
    assert.equal(endOfHead(Buffer.from(text), 0), end);
  });

test("a head that comes byte by byte is looked for from where the search stopped", () => {
  const bytes = Buffer.from("GET / HTTP/1.1\r\nX: y\r\n\r\n");
  for (let length = 1; length < bytes.length; length++)
    assert.equal(endOfHead(bytes.subarray(0, length), Math.max(0, length - 3)), -1);
  assert.equal(endOfHead(bytes, bytes.length - 3), bytes.length);
});

test("what lies before the place to look from is not looked at", () => {
  const bytes = Buffer.from("a\r\n\r\nGET / HTTP/1.1\r\n\r\n");
  assert.equal(endOfHead(bytes, 5), bytes.length);
});
