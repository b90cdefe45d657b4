import assert from "node:assert/strict";
import { test } from "node:test";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import fc from "fast-check";
import { HostIndex } from "../src/host-index.ts";
import { canonicalName, formatHostPattern, parseHostPattern } from "../src/hostname.ts";
import { matches } from "./reference.ts";

const seed = 4_040;

for (const [text, name] of [
  ["www.example.com", "www.example.com"],
  ["WWW.Example.COM.", "www.example.com"],
  ["localhost", "localhost"],
  ["_dmarc.example.com", "_dmarc.example.com"],
  ["xn--bcher-kva.example", "xn--bcher-kva.example"],
  ["1.2.3.4.example", "1.2.3.4.example"],
  ["a".repeat(63), "a".repeat(63)],
  ["a".repeat(64), undefined],
  [`${"abcdefg.".repeat(31)}abcde`, `${"abcdefg.".repeat(31)}abcde`],
  [`${"abcdefg.".repeat(31)}abcdef`, undefined],
  ["", undefined],
  [".", undefined],
  ["a..b", undefined],
  ["a.b..", undefined],
  [".a.b", undefined],
  ["-a.b", undefined],
  ["a-.b", undefined],
  ["a b.c", undefined],
  ["a\0.b", undefined],
  ["a.b\n", undefined],
  ["bücher.example", undefined],
  ["\u212Aelvin.example", undefined],
  ["*.example.com", undefined],
  ["10.0.0.1", undefined],
  ["10.0.0.1.", undefined],
  ["::1", undefined],
  ["[::1]", undefined],
  ["0x7f000001", undefined],
  ["1.0x7f", undefined],
  ["2130706433", undefined],
] as const)
  test(`${JSON.stringify(text.slice(0, 40))}, ${text.length} characters, is ${name === undefined ? "no name" : "a name"}`, () =>
    assert.equal(canonicalName(text), name));

for (const [text, complaint] of [
  ["*", /write cidrs: \["0\.0\.0\.0\/0", "::\/0"\]/],
  ["10.0.0.1", /write it in cidrs, as 10\.0\.0\.1\/32$/],
  ["2001:db8::1", /write it in cidrs, as 2001:db8::1\/128$/],
  ["a.*.example.com", /whole labels at the front only/],
  ["*example.com", /whole labels at the front only/],
  ["*.*.example.com", /whole labels at the front only/],
  ["https://example.com", /without scheme or path/],
  ["example.com/path", /without scheme or path/],
  ["example.com:443", /its port belongs in ports$/],
  ["bücher.example", /write it in A-labels: xn--bcher-kva\.example$/],
  ["*.bücher.example", /write it in A-labels: \*\.xn--bcher-kva\.example$/],
  ["", /expected a DNS name such as/],
  ["*.", /whole labels at the front only|expected a DNS name/],
  ["*.10.0.0.1", /whole labels|expected a DNS name/],
  ["exa mple.com", /expected a DNS name such as/],
] as const)
  test(`the host ${JSON.stringify(text)} is refused, and what would be right is said`, () => {
    const error = parseHostPattern(text);
    assert.ok(error instanceof Error);
    assert.ok(error.message.startsWith(`"${text}" is no`));
    assert.match(error.message, complaint);
  });

const label = fc.constantFrom("a", "b", "ab", "x-1", "com", "test");
const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join("."));
const host = fc.tuple(fc.boolean(), name).map(([below, text]) => (below ? `*.${text}` : text));

function indexOf(hosts: readonly string[]): HostIndex {
  const index = new HostIndex();
  for (const text of hosts) {
    const pattern = parseHostPattern(text);
    assert.ok(!(pattern instanceof Error));
    index.add({ clause: { rule: "", entry: 0, ports: [] }, pattern, within: undefined });
  }
  return index;
}

test("the hosts found for a name are those whose regular expression matches, the nearest first", () => {
  fc.assert(
    fc.property(fc.array(host, { maxLength: 12 }), name, (hosts, text) => {
      const found: string[] = [];
      indexOf(hosts).find(text, ({ pattern }) => {
        found.push(formatHostPattern(pattern));
        return undefined;
      });
      const expected = hosts
        .filter((one) => matches(one, text))
        .sort(
          (a, b) => Number(a.startsWith("*")) - Number(b.startsWith("*")) || b.length - a.length,
        );
      assert.deepEqual(found, expected);
    }),
    { seed, numRuns: 10_000 },
  );
});

test("one label below a wildcard is matched as by Node's check of certificates (RFC 6125)", () => {
  fc.assert(
    fc.property(host, name, (pattern, text) => {
      const parent = pattern.replace(/^\*\./, "");
      // A certificate's * is one label, and stands above two at least; ours is one or more.
      fc.pre(text.split(".").length === pattern.split(".").length);
      fc.pre(!pattern.startsWith("*") || parent.includes("."));
      const certificate = { subject: { CN: "" }, subjectaltname: `DNS:${pattern}` };
      const error = checkServerIdentity(text, certificate as unknown as PeerCertificate);
      const found = indexOf([pattern]).find(text, () => true) ?? false;
      assert.equal(found, error === undefined, `${pattern} ${text} ${error?.message}`);
    }),
    { seed, numRuns: 10_000 },
  );
});

test("whatever is canonical is so already, and ASCII", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), name, fc.domain()), (text) => {
      const canonical = canonicalName(text);
      if (canonical === undefined) return;
      assert.match(canonical, /^[a-z0-9_.-]+$/);
      assert.equal(canonicalName(canonical), canonical);
      assert.equal(canonicalName(`${text.toUpperCase().replace(/\.$/, "")}.`), canonical);
    }),
    { seed, numRuns: 10_000 },
  );
});
