import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { BlockList } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { type Cidr, cidrContains, formatAddress, parseAddress, parseCidr } from "../src/address.ts";
import { Ranges } from "../src/ranges.ts";
import { SPECIAL_RANGES, specialRanges } from "../src/special.ts";

const seed = 4_030;

/** Few bits differ, so that ranges hold, touch and repeat one another. */
const cidr: fc.Arbitrary<Cidr> = fc
  .oneof(
    fc.record({
      family: fc.constant(4 as const),
      bits: fc.nat(255),
      prefix: fc.integer({ min: 20, max: 32 }),
    }),
    fc.record({
      family: fc.constant(6 as const),
      bits: fc.nat(255),
      prefix: fc.integer({ min: 116, max: 128 }),
    }),
    fc.record({
      family: fc.constantFrom(4 as const, 6 as const),
      bits: fc.constantFrom(0, 255),
      prefix: fc.integer({ min: 0, max: 2 }),
    }),
  )
  .map(({ family, bits, prefix }) => {
    const width = family === 4 ? 32 : 128;
    const start = family === 4 ? 0xc000_0200n : 0x2001_0db8n << 96n;
    const low = BigInt(width - prefix);
    return { family, base: ((start + BigInt(bits)) >> low) << low, prefix };
  });
const address = fc
  .tuple(fc.constantFrom(4 as const, 6 as const), fc.integer({ min: -4, max: 260 }))
  .map(([family, offset]) => ({
    family,
    value: (family === 4 ? 0xc000_0200n : 0x2001_0db8n << 96n) + BigInt(offset),
  }));

test("what holds an address is found as by looking at every range, innermost first", () => {
  fc.assert(
    fc.property(
      fc.array(cidr, { maxLength: 24 }),
      fc.array(address, { maxLength: 12 }),
      (cidrs, addresses) => {
        const ranges = new Ranges(cidrs.map((one, i) => [one, i] as const));
        for (const one of addresses) {
          const found: number[] = [];
          ranges.find(one, (_, i) => {
            found.push(i);
            return undefined;
          });
          const expected = cidrs
            .map((range, i) => ({ range, i }))
            .filter(({ range }) => cidrContains(range, one))
            .sort((a, b) => b.range.prefix - a.range.prefix || a.i - b.i)
            .map(({ i }) => i);
          assert.deepEqual(found, expected);
          assert.equal(
            ranges.longest(one),
            Math.max(-1, ...expected.map((i) => cidrs[i]?.prefix ?? -1)),
          );
        }
        assert.equal(ranges.empty, cidrs.length === 0);
      },
    ),
    { seed, numRuns: 3_000 },
  );
});

test("the first and last address of the whole space have their range", () => {
  const all = new Ranges(
    ["0.0.0.0/0", "255.255.255.255/32", "::/0", "ffff::/16"].map((text) => {
      const one = parseCidr(text);
      assert.ok(!(one instanceof Error));
      return [one, undefined] as const;
    }),
  );
  for (const [text, prefix] of [
    ["0.0.0.0", 0],
    ["255.255.255.255", 32],
    ["255.255.255.254", 0],
    ["::", 0],
    ["ffff::1", 16],
  ] as const) {
    const one = parseAddress(text);
    assert.ok(one);
    assert.equal(all.longest(one), prefix, text);
  }
});

test("a set of ranges holds what Node's BlockList holds", () => {
  fc.assert(
    fc.property(
      fc.array(cidr, { maxLength: 16 }),
      fc.array(address, { maxLength: 8 }),
      (cidrs, addresses) => {
        // One a family: Node takes an IPv4 address for one of ::/0, too.
        const lists = { 4: new BlockList(), 6: new BlockList() };
        for (const { family, base, prefix } of cidrs)
          lists[family].addSubnet(formatAddress({ family, value: base }), prefix, `ipv${family}`);
        const ranges = new Ranges(cidrs.map((one) => [one, undefined] as const));
        for (const one of addresses)
          assert.equal(
            ranges.longest(one) >= 0,
            lists[one.family].check(formatAddress(one), `ipv${one.family}`),
          );
      },
    ),
    { seed, numRuns: 1_000 },
  );
});

/** Lines of `what address` answered by Python's ipaddress module, one process for all. */
function python(program: string, lines: readonly string[]): string[] {
  const script = `import sys\nfrom ipaddress import ip_address, ip_network\n${program}`;
  return execFileSync("python3", ["-c", script], { input: lines.join("\n"), encoding: "utf8" })
    .trimEnd()
    .split("\n");
}
const hasPython = (() => {
  try {
    return execFileSync("python3", ["-c", "import ipaddress"]).length === 0;
  } catch {
    return false;
  }
})();
const skip = !hasPython && "needs python3";

test("a range holds an address where Python's ipaddress says so", { skip }, () => {
  const pairs = fc.sample(fc.tuple(cidr, address), { seed, numRuns: 3_000 });
  const lines = pairs.map(
    ([{ family, base, prefix }, one]) =>
      `${formatAddress({ family, value: base })}/${prefix} ${formatAddress(one)}`,
  );
  const said = python(
    "for line in sys.stdin:\n  net, address = line.split()\n  print(ip_address(address) in ip_network(net))",
    lines,
  );
  pairs.forEach(([range, one], i) => {
    assert.equal(cidrContains(range, one), said[i] === "True", lines[i]);
  });
});

/** Where we and Python's is_global differ on purpose. Python's tables are of its version: both answers are accepted here. */
const DIFFERENCES: readonly (readonly [string, string])[] = [
  [
    "192.0.0.9/32",
    "globally reachable by the registry (PCP anycast), inside protocol assignments: of no use to an app",
  ],
  ["192.0.0.10/32", "globally reachable by the registry (TURN anycast), the same"],
  ["192.0.0.0/24", "older Pythons call all but 192.0.0.0/29 and .170/31 global"],
  ["192.88.99.0/24", "6to4 relay: deprecated, and not where an app means to go"],
  ["224.0.0.0/4", "multicast: Python calls some of it global, TCP goes to none of it"],
  ["168.63.129.16/32", "a public address, by which Azure serves metadata"],
  ["64:ff9b::/96", "NAT64: unwrapped before it is looked up"],
  ["64:ff9b:1::/48", "local translation: newer than older Pythons' tables"],
  ["2002::/16", "6to4: unwrapped before it is looked up"],
  [
    "2001::/23",
    "protocol assignments: Python calls the globally reachable ones among them global (AMT, AS112, ORCHIDv2, DETs)",
  ],
  ["100::/63", "discard and dummy prefix: the second is newer than older tables"],
  ["3fff::/20", "documentation: newer than older tables"],
  ["5f00::/16", "segment routing: newer than older tables"],
  ["fec0::/10", "site-local: deprecated, and routed inside where it is routed"],
  ["ff00::/8", "multicast: Python calls some of it global"],
  ["::/8", "reserved, and old embeddings of IPv4 in it"],
];

test("what is special is what Python's ipaddress calls not global, but for differences with a reason", {
  skip,
}, () => {
  const special = new Ranges(specialRanges().map((one) => [one, undefined] as const));
  const accepted = new Ranges(
    DIFFERENCES.map(([text]) => {
      const one = parseCidr(text);
      assert.ok(!(one instanceof Error));
      return [one, undefined] as const;
    }),
  );
  const v4 = fc.nat(0xffff_ffff).map((n) => ({ family: 4 as const, value: BigInt(n) }));
  const v6 = fc.bigInt(0n, (1n << 128n) - 1n).map((value) => ({ family: 6 as const, value }));
  const global = fc
    .bigInt(0n, (1n << 125n) - 1n)
    .map((value) => ({ family: 6 as const, value: value | (1n << 125n) }));
  // At the ends of our own ranges and just outside, where two tables would differ.
  const edges = SPECIAL_RANGES.flatMap(([text]) => {
    const one = parseCidr(text);
    assert.ok(!(one instanceof Error));
    const width = one.family === 4 ? 32 : 128;
    const size = 1n << BigInt(width - one.prefix);
    return [one.base - 1n, one.base, one.base + size / 2n, one.base + size - 1n, one.base + size]
      .filter((value) => value >= 0n && value < 1n << BigInt(width))
      .map((value) => ({ family: one.family, value }));
  });
  const addresses = [...edges, ...fc.sample(fc.oneof(v4, v6, global), { seed, numRuns: 6_000 })];
  const said = python(
    "for line in sys.stdin:\n  print(ip_address(line.strip()).is_global)",
    addresses.map(formatAddress),
  );
  const differing = addresses
    .filter((one, i) => special.longest(one) >= 0 === (said[i] === "True"))
    .filter((one) => accepted.longest(one) < 0)
    .map(formatAddress);
  assert.deepEqual(differing, []);
});
