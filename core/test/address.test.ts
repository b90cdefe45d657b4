import assert from "node:assert/strict";
import { BlockList, isIP, isIPv4, SocketAddress } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import {
  canonicalAddress,
  cidrContains,
  formatAddress,
  formatCidr,
  parseAddress,
  parseCidr,
} from "../src/address.ts";

const octet = fc.integer({ min: 0, max: 255 });
const ipv4 = fc.tuple(octet, octet, octet, octet).map((parts) => parts.join("."));
const group = fc.integer({ min: 0, max: 0xffff });
/** Many zeros, so that runs of them are met in every place. */
const ipv6 = fc
  .array(fc.oneof(fc.constant(0), group), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.map((n) => n.toString(16)).join(":"));
const seed = 4_001;

test("an address is written as Node's own parser writes it", () => {
  fc.assert(
    fc.property(ipv6, (text) => {
      const { address } = new SocketAddress({ family: "ipv6", address: text });
      // A v4-mapped address is its IPv4 address here.
      const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
      // inet_ntop writes ::a.b.c.d for the deprecated IPv4-compatible form; RFC 5952 §5 does not ask for it.
      fc.pre(mapped !== undefined || !address.includes("."));
      assert.equal(canonicalAddress(text), mapped ?? address);
    }),
    { seed, numRuns: 2_000 },
  );
});

test("what is written is read back as the same", () => {
  fc.assert(
    fc.property(fc.oneof(ipv4, ipv6), (text) => {
      const address = parseAddress(text);
      assert.ok(address);
      assert.deepEqual(parseAddress(formatAddress(address)), address);
    }),
    { seed },
  );
});

test("what Node takes for no address is none here either", () => {
  const alphabet = fc.constantFrom(..."0123456789abcdefABCDEF:.%/ x");
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 24 }), (letters) => {
      const text = letters.join("");
      // A zone (RFC 4007) names an interface of one machine: Node takes it, a policy cannot.
      if (isIP(text) === 0 || text.includes("%")) assert.equal(parseAddress(text), undefined);
      else assert.ok(parseAddress(text), text);
    }),
    { seed, numRuns: 20_000 },
  );
});

for (const [text, canonical] of [
  ["2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"], // RFC 5952 §4.2.2: one group is not shortened
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"], // §4.2.3: the longest run
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"], // §4.2.3: the first of equals
  ["::", "::"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::FFFF:c000:201", "192.0.2.1"],
  ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  ["1.2.3.4", "1.2.3.4"],
] as const)
  test(`${text} is ${canonical}`, () => assert.equal(canonicalAddress(text), canonical));

for (const text of [
  "",
  "1.2.3",
  "1.2.3.4.5",
  "01.2.3.4",
  "1.2.3.256",
  "1.2.3.4 ",
  ":::",
  "1::2::3",
])
  test(`"${text}" is no address`, () => assert.equal(parseAddress(text), undefined));

test("a range holds an address exactly when Node's BlockList says so", () => {
  const near = fc.tuple(ipv4, fc.integer({ min: 0, max: 32 }), ipv4);
  const near6 = fc.tuple(ipv6, fc.integer({ min: 0, max: 128 }), ipv6);
  fc.assert(
    fc.property(fc.oneof(near, near6), fc.boolean(), ([base, prefix, other], inside) => {
      const range = rangeOf(base, prefix);
      const list = new BlockList();
      const family = isIPv4(base) ? "ipv4" : "ipv6";
      // Node keeps mapped ranges apart; here they are IPv4.
      fc.pre(family === "ipv4" || range.family === 6);
      list.addSubnet(formatAddress({ family: range.family, value: range.base }), prefix, family);
      const text = inside ? base : other;
      const address = parseAddress(text);
      assert.ok(address);
      fc.pre(address.family === range.family);
      assert.equal(cidrContains(range, address), list.check(text, family));
      if (inside) assert.equal(cidrContains(range, address), true);
    }),
    { seed, numRuns: 3_000 },
  );
});

function rangeOf(text: string, prefix: number) {
  const address = parseAddress(text);
  assert.ok(address);
  const bits = BigInt((address.family === 4 ? 32 : 128) - prefix);
  return { family: address.family, base: (address.value >> bits) << bits, prefix };
}

for (const [text, canonical] of [
  ["10.0.0.0/8", "10.0.0.0/8"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["::/0", "::/0"],
  ["192.0.2.7", "192.0.2.7/32"],
  ["2001:DB8::/32", "2001:db8::/32"],
  ["::ffff:10.0.0.0/104", "10.0.0.0/8"],
] as const)
  test(`the range ${text} is ${canonical}`, () => {
    const cidr = parseCidr(text);
    assert.ok(!(cidr instanceof Error));
    assert.equal(formatCidr(cidr), canonical);
  });

for (const [text, message] of [
  ["10.0.0.1/8", /host bits set: write 10\.0\.0\.0\/8 .* or 10\.0\.0\.1\/32/],
  ["2001:db8::1/32", /host bits set: write 2001:db8::\/32/],
  ["10.0.0.0/33", /prefix length from 0 to 32/],
  ["::ffff:10.0.0.0/8", /prefix length/],
  ["10.0.0.0/", /prefix length/],
  ["10.0.0.0/8/8", /not a CIDR/],
  ["example.com", /not a CIDR/],
] as const)
  test(`"${text}" is no range, and the error says what would be right`, () => {
    const cidr = parseCidr(text);
    assert.ok(cidr instanceof Error);
    assert.match(cidr.message, message);
  });
