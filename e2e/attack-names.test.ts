import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { EgressPod, HOSTILE, HOSTILE6, OTHER, REAL, REAL6 } from "./support/egress-pod.ts";
import {
  helloNaming,
  helloNamingTwice,
  inRecords,
  padded,
  realHello,
  smallHello,
} from "./support/hellos.ts";
import { pooled, told } from "./support/told.ts";

/** Names that are not what they say, and ClientHellos in every form: one pod, one policy of names. */
const bed = await EgressPod.open(
  { after },
  {
    policy: {
      rules: {
        web: [
          { hosts: ["*.example.com"], ports: [{ port: 443, protocol: "tls" }] },
          { hosts: ["*.example.com"], ports: [{ port: 80, protocol: "http" }] },
        ],
      },
    },
    zone: {
      "*.example.com": { A: [REAL] },
      "both.example.com": { A: [REAL, OTHER], AAAA: [REAL6] },
      "www.evil.net": { A: [HOSTILE] },
    },
    waits: { silentMs: 1_000, unfinishedMs: 1_000 },
  },
);
const at = { address: HOSTILE, port: 443 };
/** Until the answer ends, which it does when it is complete. */
const request = (...lines: string[]) => ({
  say: [Buffer.from([...lines, "Connection: close", "", ""].join("\r\n"))],
  enough: 100_000,
});
const get = (...lines: string[]) => request("GET / HTTP/1.1", ...lines);
const shake = async (bytes: Buffer) => bed.attempt({ ...at, say: [bytes], enough: 1 });

describe("an allowed name at a hostile address", () => {
  for (const [address, family] of [
    [HOSTILE, "IPv4"],
    [HOSTILE6, "IPv6"],
  ] as const)
    test(`reaches the name's own server, not the hostile ${family} one, which hears of nothing`, async () => {
      for (const [port, call] of [
        [443, { tls: "www.example.com" }],
        [80, get("Host: www.example.com")],
      ] as const) {
        const { heard, record } = await bed.attempt({ address, port, ...call });
        assert.equal(told(heard), `${REAL} www.example.com`);
        assert.deepEqual(
          [record.reason, record.original_address, record.dialled_address, record.resolved],
          ["allowed.rule", address, REAL, [REAL]],
        );
      }
      assert.deepEqual(bed.witness.visitsAt(address), []);
    });

  test("that is one of the name's own is kept, whichever it is", async () => {
    for (const address of [REAL, OTHER, REAL6]) {
      const { heard, record } = await bed.attempt({ address, port: 443, tls: "both.example.com" });
      assert.equal(told(heard), `${address} both.example.com`);
      assert.equal(record.dialled_address, address);
    }
  });
});

describe("a name that no rule speaks of is refused", () => {
  for (const name of [
    ...["www.evil.net", "example.com", "www.example.com.evil.net", "evilexample.com"],
    ...["www.example.co", "xn--example-9d0b.com"],
  ])
    test(`${name}`, async () => {
      const { heard, record } = await shake(await helloNaming(name));
      assert.deepEqual(
        [told(heard), record.reason, record.name],
        ["alert 49", "denied.no_rule", name],
      );
      assert.ok(!bed.dns.asked.some((question) => question.name === name), "it was resolved");
    });
});

describe("a server name that can match no host is refused", () => {
  const www = "www.example.com";
  const long = `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(52)}.example.com`;
  assert.equal(long.length, 256);
  for (const [what, hello, reason] of [
    ["none", realHello(), "denied.name_missing"],
    ["an allowed one twice, in one list", helloNaming(www, www), "denied.name_invalid"],
    ["a denied one after an allowed one", helloNaming(www, "www.evil.net"), "denied.name_invalid"],
    ["an allowed one after a denied one", helloNaming("www.evil.net", www), "denied.name_invalid"],
    [
      "two, in extensions of their own",
      helloNamingTwice("www.evil.net", www),
      "denied.name_invalid",
    ],
    ["the same in two extensions", helloNamingTwice(www, www), "denied.name_invalid"],
    ["one with a NUL", helloNaming("www.evil.net\0.example.com"), "denied.name_invalid"],
    ["one that ends with a NUL", helloNaming(`${www}\0`), "denied.name_invalid"],
    ["not ASCII, UTF-8", helloNaming("b\xc3\xbccher.example.com"), "denied.name_invalid"],
    ["not ASCII, the Kelvin sign", helloNaming("\xe2\x84\xaa.example.com"), "denied.name_invalid"],
    ["of 256 bytes", helloNaming(long), "denied.name_invalid"],
    ["a label of 64 bytes", helloNaming(`${"a".repeat(64)}.example.com`), "denied.name_invalid"],
    ["an IPv4 address", helloNaming(REAL), "denied.name_invalid"],
    ["an IPv4 address in hexadecimal", helloNaming("0x5db8d822"), "denied.name_invalid"],
    ["an IPv6 address", helloNaming(REAL6), "denied.name_invalid"],
    ["an IPv6 address in brackets", helloNaming(`[${REAL6}]`), "denied.name_invalid"],
    ["empty", helloNaming(""), "denied.name_invalid"],
    ["a dot", helloNaming("."), "denied.name_invalid"],
    ["two trailing dots", helloNaming(`${www}..`), "denied.name_invalid"],
    ["an empty label", helloNaming("www..example.com"), "denied.name_invalid"],
    ["a wildcard", helloNaming("*.example.com"), "denied.name_invalid"],
    ["with a port", helloNaming(`${www}:443`), "denied.name_invalid"],
    ["with a blank", helloNaming(`${www} `), "denied.name_invalid"],
    ["an empty list", helloNaming(), "denied.malformed"],
  ] as const)
    test(what, async () => {
      const before = bed.dns.asked.length;
      const { heard, record } = await shake(await hello);
      assert.deepEqual([told(heard), record.reason, record.name], ["alert 49", reason, undefined]);
      assert.equal(bed.dns.asked.length, before, "something was resolved");
    });
});

describe("an allowed name passes", () => {
  for (const [what, given] of [
    ["in upper case", "WWW.EXAMPLE.COM"],
    ["with a trailing dot", "www.example.com."],
    ["with an underscore", "_acme.www.example.com"],
    ["in A-labels", "xn--bcher-kva.example.com"],
  ] as const)
    test(what, async () => {
      const { heard, record } = await shake(await helloNaming(given));
      assert.deepEqual(
        [told(heard), record.reason, record.dialled_address],
        ["handshake", "allowed.rule", REAL],
      );
      assert.equal(record.name, given.toLowerCase().replace(/\.$/, ""));
    });
});

describe("a ClientHello is read however it comes", () => {
  test("in two segments, divided after each of its bytes", async () => {
    const { length } = await smallHello("split-000.example.com");
    const divisions = Array.from({ length: length - 1 }, (_, i) => i + 1);
    const wrong: string[] = [];
    await pooled(divisions, 50, async (bytes) => {
      const name = `split-${String(bytes).padStart(3, "0")}.example.com`;
      const hello = await smallHello(name);
      const say = [hello.subarray(0, bytes), hello.subarray(bytes)];
      const heard = await bed.app.call({ ...at, say, gapMs: 20, enough: 1 });
      if (told(heard) !== "handshake") wrong.push(`after ${bytes}: ${told(heard)}`);
    });
    assert.deepEqual(wrong, []);
    const records = await bed.recordsWhere(
      ({ name }) => name?.startsWith("split-") ?? false,
      divisions.length,
    );
    assert.equal(new Set(records.map(({ name }) => name)).size, divisions.length);
    assert.ok(records.every(({ dialled_address }) => dialled_address === REAL));
  });

  test("byte by byte", async () => {
    const hello = await smallHello("bytes.example.com");
    const { heard, record } = await bed.attempt({
      ...at,
      say: [...hello].map((byte) => Buffer.from([byte])),
      gapMs: 1,
      enough: 1,
    });
    assert.deepEqual(
      [told(heard), record.reason, record.name],
      ["handshake", "allowed.rule", "bytes.example.com"],
    );
  });

  for (const size of [1, 2, 3, 4, 5, 37, 100, 250])
    test(`in records of ${size} bytes`, async () => {
      const name = `records-${size}.example.com`;
      const { heard, record } = await shake(inRecords(await smallHello(name), size));
      assert.deepEqual(
        [told(heard), record.reason, record.name],
        ["handshake", "allowed.rule", name],
      );
    });

  test("of 60,000 bytes, in several records and many segments", async () => {
    const hello = padded(await realHello("long.example.com"), 58_000);
    const { heard, record } = await shake(hello);
    assert.deepEqual([told(heard), record.reason], ["handshake", "allowed.rule"]);
  });

  test("of more than 64 KiB is refused, and so is one with an allowed name and records of another kind between", async () => {
    for (const bytes of [
      padded(await realHello("longer.example.com"), 65_000),
      Buffer.concat([
        inRecords(await smallHello("mixed.example.com"), 100).subarray(0, 105),
        Buffer.from([21, 3, 1, 0, 2, 1, 0]),
        inRecords(await smallHello("mixed.example.com"), 100).subarray(105),
      ]),
    ]) {
      const { heard, record } = await shake(bytes);
      assert.deepEqual([told(heard), record.reason], ["alert 49", "denied.malformed"]);
    }
  });
});

describe("an app that does not finish what a name decides on is refused at its deadline", () => {
  const refused = async (say: readonly Buffer[], expected: readonly [string, string]) => {
    const { heard, record } = await bed.attempt({ ...at, say, enough: 100_000 });
    assert.deepEqual([told(heard), record.reason], expected);
    assert.ok(heard.ms > 900 && heard.ms < 10_000, `${heard.ms} ms`);
  };
  test("half a ClientHello, then silence", async () => {
    const hello = await smallHello("www.example.com");
    await refused([hello.subarray(0, hello.length - 1)], ["alert 49", "denied.malformed"]);
  });
  test("a request without its Host, then silence", () =>
    refused([Buffer.from("GET / HTTP/1.1\r\n")], ["408", "denied.malformed"]));
  test("nothing", () => refused([], ["reset", "denied.name_missing"]));
  test("however slowly it goes on: what it has begun has one deadline, not one for each piece", async () => {
    // A record for each byte: how much is still to come is never clear.
    const hello = inRecords(await smallHello("www.example.com"), 1);
    const say = Array.from({ length: hello.length / 6 }, (_, i) =>
      hello.subarray(6 * i, 6 * i + 6),
    );
    const { heard, record } = await bed.attempt({ ...at, say, gapMs: 50, enough: 1 });
    assert.deepEqual([told(heard), record.reason], ["alert 49", "denied.malformed"]);
    assert.ok(heard.ms > 900 && heard.ms < 6_000, `${heard.ms} ms`);
  });
});

describe("a Host that is not what it says is refused", () => {
  for (const [what, said, reason] of [
    ["no Host", get(), "denied.malformed"],
    ["two", get("Host: www.example.com", "Host: www.evil.net"), "denied.malformed"],
    ["the same twice", get("Host: www.example.com", "Host: www.example.com"), "denied.malformed"],
    ["one with a blank before its colon", get("Host : www.example.com"), "denied.malformed"],
    ["one of another port", get("Host: www.example.com:8080"), "denied.name_invalid"],
    ["one that is an address", get(`Host: ${REAL}`), "denied.name_invalid"],
    ["one that no rule speaks of", get("Host: www.evil.net"), "denied.no_rule"],
    [
      "one that the request's target contradicts",
      request("GET http://www.evil.net/ HTTP/1.1", "Host: www.example.com"),
      "denied.malformed",
    ],
  ] as const)
    test(what, async () => {
      const { heard, record } = await bed.attempt({ address: HOSTILE, port: 80, ...said });
      const status = reason === "denied.malformed" ? "400" : "403";
      assert.deepEqual([told(heard), record.reason], [status, reason]);
    });
});

test("after all this nobody has heard of anything at a hostile address, and nothing went wrong inside", async () => {
  for (const address of [HOSTILE, HOSTILE6]) assert.deepEqual(bed.witness.visitsAt(address), []);
  assert.doesNotMatch(bed.sidecar.log, /"level":"(error|warn)"/);
  assert.ok(bed.records.every(({ reason }) => !reason.startsWith("failed.")));
});
