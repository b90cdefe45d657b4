import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { interleave } from "../../src/resolve/order.ts";

for (const [ipv4, ipv6, ipv6First, expected] of [
  [["1", "2"], ["a", "b"], true, ["a", "1", "b", "2"]],
  [["1", "2"], ["a", "b"], false, ["1", "a", "2", "b"]],
  [["1"], ["a", "b", "c"], true, ["a", "1", "b", "c"]],
  [["1", "2", "3"], [], true, ["1", "2", "3"]],
  [[], ["a"], false, ["a"]],
  [[], [], true, []],
] as const)
  test(`${ipv4.join("") || "no"} IPv4 and ${ipv6.join("") || "no"} IPv6 addresses, IPv6 ${ipv6First ? "first" : "second"}: ${expected.join(" ") || "none"}`, () =>
    assert.deepEqual(interleave(ipv4, ipv6, ipv6First), expected));

test("nothing is lost, nothing added, and each family keeps its order", () =>
  fc.assert(
    fc.property(fc.array(fc.nat()), fc.array(fc.nat()), fc.boolean(), (four, six, first) => {
      const ipv4 = four.map((n) => `4.${n}`);
      const ipv6 = six.map((n) => `6:${n}`);
      const ordered = interleave(ipv4, ipv6, first);
      assert.deepEqual(
        ordered.filter((a) => a.startsWith("4")),
        ipv4,
      );
      assert.deepEqual(
        ordered.filter((a) => a.startsWith("6")),
        ipv6,
      );
      assert.equal(ordered.length, ipv4.length + ipv6.length);
    }),
    { seed: 6555 },
  ));
