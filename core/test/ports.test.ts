import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parsePort, parsePortRange, portInRange } from "../src/ports.ts";

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

test("a range holds its first, its last and what lies between", () => {
  const port = fc.integer({ min: 1, max: 65_535 });
  fc.assert(
    fc.property(port, port, port, (a, b, n) => {
      const [first, last] = [Math.min(a, b), Math.max(a, b)];
      const range = parsePortRange(`${first}-${last}`);
      assert.ok(!(range instanceof Error));
      assert.ok(portInRange(range, first) && portInRange(range, last));
      assert.equal(portInRange(range, n), n >= first && n <= last);
      if (first < last) assert.ok(parsePortRange(`${last}-${first}`) instanceof Error);
    }),
    { seed, numRuns: 2_000 },
  );
});

test("* is every port, a single one is a range of one, and the error says what is expected", () => {
  assert.deepEqual(parsePortRange("*"), { first: 1, last: 65_535 });
  assert.deepEqual(parsePortRange("443"), { first: 443, last: 443 });
  const error = parsePortRange("https");
  assert.ok(error instanceof Error);
  assert.equal(
    error.message,
    '"https" is not a port: expected 1 to 65535, a range such as 8000-8100, or *',
  );
});
