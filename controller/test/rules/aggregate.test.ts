import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, parseAddress, parseCidr } from "@sallyport/core/address";
import { Ranges } from "@sallyport/core/ranges";
import fc from "fast-check";
import { aggregate } from "../../src/rules/aggregate.ts";

for (const [what, given, expected] of [
  ["nothing", [], []],
  ["two halves are one", ["10.0.1.0/24", "10.0.0.0/24"], ["10.0.0.0/23"]],
  [
    "neighbours that are no halves of one stay",
    ["10.0.1.0/24", "10.0.2.0/24"],
    ["10.0.1.0/24", "10.0.2.0/24"],
  ],
  [
    "what lies within another is in it",
    ["10.0.0.0/8", "10.1.2.0/24", "10.0.0.0/8"],
    ["10.0.0.0/8"],
  ],
  [
    "four quarters",
    ["10.244.3.0/24", "10.244.1.0/24", "10.244.0.0/24", "10.244.2.0/24"],
    ["10.244.0.0/22"],
  ],
  ["families apart", ["::/0", "0.0.0.0/0"], ["0.0.0.0/0", "::/0"]],
  ["all of it from two halves", ["128.0.0.0/1", "0.0.0.0/1"], ["0.0.0.0/0"]],
  ["what is no range is left out", ["10.0.0.0/33", "pod", "fd00::/64"], ["fd00::/64"]],
] as const)
  test(`aggregate: ${what}`, () => assert.deepEqual(aggregate(given), expected));

test("aggregate: the same addresses, no range beside its other half, in one order", () => {
  const range = fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 26, max: 32 }))
    .map(([at, prefix]) => `10.0.0.${(at >> (32 - prefix)) << (32 - prefix)}/${prefix}`);
  const index = (texts: readonly string[]) =>
    new Ranges(
      texts.map((text) => {
        const cidr = parseCidr(text);
        assert.ok(!(cidr instanceof Error));
        return [cidr, undefined] as const;
      }),
    );
  fc.assert(
    fc.property(fc.array(range, { maxLength: 40 }), (texts) => {
      const found = aggregate(texts);
      assert.deepEqual(aggregate([...texts].reverse()), found);
      assert.deepEqual(aggregate(found), found);
      const [before, after] = [index(texts), index(found)];
      for (let at = 0; at < 256; at++) {
        const address = parseAddress(`10.0.0.${at}`);
        assert.ok(address);
        assert.equal(
          after.longest(address) >= 0,
          before.longest(address) >= 0,
          formatAddress(address),
        );
      }
    }),
  );
});
