import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PortSet, parsePort } from "../src/ports.ts";

const seed = 4_003;

test("a port is the decimal numbers 1 to 65535 and nothing else", () => {
  fc.assert(
    fc.property(fc.integer({ min: -10, max: 70_000 }), (n) => {
      assert.equal(parsePort(String(n)), n >= 1 && n <= 65_535 ? n : undefined);
    }),
    { seed, numRuns: 2_000 },
  );
  for (const text of ["", "0", "080", "+80", "8e1", "0x50", " 80", "80\n", "８０", "1.0"])
    assert.equal(parsePort(text), undefined, text);
});

test("a set of ranges holds a port when one of them does, however they overlap or touch", () => {
  const port = fc.integer({ min: 1, max: 40 });
  const range = fc
    .tuple(port, port)
    .map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }));
  fc.assert(
    fc.property(fc.array(range, { maxLength: 8 }), (ranges) => {
      const set = new PortSet(ranges);
      for (let n = 0; n <= 41; n++)
        assert.equal(
          set.has(n),
          ranges.some(({ first, last }) => first <= n && n <= last),
          `${n}`,
        );
    }),
    { seed, numRuns: 2_000 },
  );
});
