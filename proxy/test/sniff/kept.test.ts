import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { sniff } from "../../src/sniff/sniff.ts";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

const HEADS = 100;
const HEAD_BYTES = 60_000;

for (const [what, host] of [
  ["name and path", "a-rather-long-name-of-a-host"],
  ["a name that matches nothing, and path", "a_rather!long!name!of!no!host"],
])
  test(`${what} of a request are kept without the rest of its head`, () => {
    const kept: unknown[] = [];
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < HEADS; i++) {
      const pad = `x: ${"a".repeat(8_000)}\r\n`.repeat(HEAD_BYTES / 8_000);
      const head = `GET /a/rather/long/path/${i} HTTP/1.1\r\nHost: ${host}${i}.example.com\r\n${pad}\r\n`;
      kept.push(sniff(Buffer.from(head)));
    }
    collect();
    const each = (process.memoryUsage().heapUsed - before) / kept.length;
    assert.ok(each < HEAD_BYTES / 10, `${Math.round(each)} bytes for each`);
  });
