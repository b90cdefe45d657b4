import assert from "node:assert/strict";
import { test } from "node:test";
import { LineReader } from "../src/line-reader.ts";

test("lines are the same however their bytes come", () => {
  const bytes = Buffer.from("one\ntwo öä\n\nthree\nfour");
  for (let size = 1; size <= bytes.length; size++) {
    const reader = new LineReader(10);
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      const read = reader.read(bytes.subarray(at, at + size));
      assert.ok(read !== "too long");
      lines.push(...read.map(String));
    }
    assert.deepEqual(lines, ["one", "two öä", "", "three"], `${size} at a time`);
  }
});

test("a line longer than the bound is refused, whole or not; one that fits is not", () => {
  const reader = new LineReader(4);
  assert.deepEqual(reader.read(Buffer.from("four\nfo")), [Buffer.from("four")]);
  assert.deepEqual(reader.read(Buffer.from("ur")), []);
  assert.equal(reader.read(Buffer.from("!")), "too long");
  assert.equal(new LineReader(4).read(Buffer.from("five!\n")), "too long");
});
