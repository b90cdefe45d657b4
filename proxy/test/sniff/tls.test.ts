import assert from "node:assert/strict";
import { before, test } from "node:test";
import fc from "fast-check";
import { MAX_HEAD, type Sniff, sniff } from "../../src/sniff/sniff.ts";
import { type RealHello, realHellos } from "./real-hellos.ts";
import * as wire from "./wire.ts";

let hellos: RealHello[] = [];
let hello: Buffer = Buffer.alloc(0);
before(async () => {
  hellos = await realHellos();
  hello =
    hellos.find(({ from }) => from.startsWith("openssl s_client TLSv1.3 www"))?.bytes ?? hello;
});

function kindOf(sniffed: Sniff): string {
  return sniffed.kind === "malformed" ? `malformed: ${sniffed.problem}` : sniffed.kind;
}

/** Told of a growing buffer as a caller is: asked again when `needs` bytes are there. */
function sniffGrowing(bytes: Buffer): { readonly last: Sniff; readonly calls: number } {
  let length = 1;
  for (let calls = 1; ; calls++) {
    const last = sniff(bytes.subarray(0, length));
    if (last.kind !== "more" || last.needs > bytes.length) return { last, calls };
    assert.ok(last.needs > length);
    length = last.needs;
  }
}

test("the name and the protocols of real ClientHellos are read, in each version of TLS", () => {
  assert.equal(hellos.length, 16);
  for (const { from, bytes, serverName, alpn } of hellos)
    assert.deepEqual(sniff(bytes), { kind: "tls", serverName, invalidName: undefined, alpn }, from);
});

test("a real ClientHello split at any byte is unfinished before its end, and needs no more than its end", () => {
  for (const { from, bytes } of hellos)
    for (let length = 1; length < bytes.length; length++) {
      const sniffed = sniff(bytes.subarray(0, length));
      assert.equal(sniffed.kind, "more", `${from} at ${length}`);
      assert.equal(sniffed.protocol, length > 1 ? "tls" : undefined, `${from} at ${length}`);
      assert.ok(sniffed.needs > length && sniffed.needs <= bytes.length, `${from} at ${length}`);
    }
});

test("a real ClientHello in records of any size, arriving at any pace, shows the same as in one", () => {
  for (const { from, bytes } of hellos) {
    const expected = sniff(bytes);
    const message = wire.messageOf(bytes);
    for (let size = 1; size <= message.length; size++) {
      const { last, calls } = sniffGrowing(wire.records(message, size));
      assert.deepEqual(last, expected, `${from}, records of ${size}`);
      assert.ok(calls <= 50, `${from}, records of ${size}: ${calls} calls`);
    }
  }
});

test("a hello is not complete before the `needs` bytes are there that were last asked for", () => {
  const message = wire.messageOf(hello);
  for (const size of [1, 3, 100, message.length]) {
    const bytes = wire.records(message, size);
    let needs = 1;
    for (let length = 0; length < bytes.length; length++) {
      const sniffed = sniff(bytes.subarray(0, length));
      if (length < needs) assert.equal(sniffed.kind, "more", `${length} of ${needs}`);
      if (sniffed.kind === "more") needs = sniffed.needs;
    }
  }
});

test("what follows a ClientHello does not matter: early data, another message, another record", () => {
  const expected = sniff(hello);
  assert.deepEqual(sniff(Buffer.concat([hello, Buffer.from([23, 3, 3, 0, 1, 0])])), expected);
  const twice = Buffer.concat([wire.messageOf(hello), wire.messageOf(hello)]);
  assert.deepEqual(sniff(wire.records(twice)), expected);
});

test("a ClientHello without any extension is one without a name", () => {
  const { prefix } = wire.takeApart(hello);
  const nameless = { kind: "tls", alpn: [] };
  assert.deepEqual(sniff(wire.handshake(prefix)), nameless);
  const none = { ...nameless, serverName: undefined, invalidName: undefined };
  assert.deepEqual(sniff(wire.handshake(prefix, wire.vector16())), none);
});

test("unknown extensions, GREASE and an encrypted client hello are skipped: the outer name is read", () => {
  for (const type of [0x0a0a, 0xfafa, 0xfe0d, 0x1234, 0xffff]) {
    const extra = { type, data: wire.serverNames("inner.example").data };
    for (const extensions of [
      [extra, wire.serverNames("outer.example")],
      [wire.serverNames("outer.example"), extra, extra],
    ]) {
      const sniffed = sniff(wire.withServerName(hello, ...extensions));
      assert.equal(sniffed.kind === "tls" && sniffed.serverName, "outer.example");
    }
  }
});

for (const [said, name] of [
  ["example.com", "example.com"],
  ["WWW.Example.COM", "www.example.com"],
  ["example.com.", "example.com"],
  ["_dmarc.my_host.example.com", "_dmarc.my_host.example.com"],
  ["xn--bcher-kva.example", "xn--bcher-kva.example"],
  ["localhost", "localhost"],
  [`${"a".repeat(63)}.example`, `${"a".repeat(63)}.example`],
] as const)
  test(`the server name ${said} is ${name}`, () => {
    const sniffed = sniff(wire.withServerName(hello, wire.serverNames(said)));
    assert.equal(kindOf(sniffed), "tls");
    assert.ok(sniffed.kind === "tls");
    assert.equal(sniffed.serverName, name);
    assert.equal(sniffed.invalidName, undefined);
  });

for (const [what, extensions, shown] of [
  ["empty", [wire.serverNames("")], ""],
  ["a dot", [wire.serverNames(".")], "."],
  ["with a NUL at its end", [wire.serverNames("example.com\0")], "example.com\\x00"],
  ["with a NUL inside", [wire.serverNames("a.example\0.evil")], "a.example\\x00.evil"],
  ["in UTF-8", [wire.serverNames(Buffer.from("bücher.example"))], "b\\xc3\\xbccher.example"],
  [
    "with the Kelvin sign",
    [wire.serverNames(Buffer.from("o\u212a.example"))],
    "o\\xe2\\x84\\xaa.example",
  ],
  ["in Latin-1", [wire.serverNames("b\xfccher.example")], "b\\xfccher.example"],
  ["IPv4", [wire.serverNames("192.0.2.1")], "192.0.2.1"],
  ["IPv4 in hexadecimal", [wire.serverNames("0x7f000001")], "0x7f000001"],
  ["IPv4 in one number", [wire.serverNames("2130706433")], "2130706433"],
  ["IPv6", [wire.serverNames("2001:db8::1")], "2001:db8::1"],
  ["IPv6 in brackets", [wire.serverNames("[::1]")], "[::1]"],
  ["a wildcard", [wire.serverNames("*.example.com")], "*.example.com"],
  ["with a port", [wire.serverNames("example.com:443")], "example.com:443"],
  ["with a space", [wire.serverNames("example.com ")], "example.com "],
  ["with a line end", [wire.serverNames("a.example\r\n")], "a.example\\x0d\\x0a"],
  ["with a backslash", [wire.serverNames("a\\x00")], "a\\x5cx00"],
  ["with two dots at its end", [wire.serverNames("example.com..")], "example.com.."],
  ["with an empty label", [wire.serverNames("www..example.com")], "www..example.com"],
  ["with a dot first", [wire.serverNames(".example.com")], ".example.com"],
  [
    "with a label of 64",
    [wire.serverNames(`${"a".repeat(64)}.example`)],
    `${"a".repeat(64)}.example`,
  ],
  [
    "of 254 characters",
    [wire.serverNames("ab.".repeat(84).concat("ab"))],
    "ab.".repeat(84).concat("ab"),
  ],
  ["of 256 characters", [wire.serverNames("abc.".repeat(64))], `${"abc.".repeat(63)}...`],
  ["of 16,000 NULs", [wire.serverNames("\0".repeat(16_000))], `${"\\x00".repeat(63)}...`],
  ["one of two", [wire.serverNames("a.example", "b.example")], "a.example, b.example"],
  ["said twice in a list", [wire.serverNames("a.example", "a.example")], "a.example, a.example"],
  [
    "said in two extensions",
    [wire.serverNames("a.example"), wire.serverNames("b.example")],
    "a.example, b.example",
  ],
] as const)
  test(`a server name that is ${what} is never a name`, () => {
    const sniffed = sniff(wire.withServerName(hello, ...extensions));
    assert.equal(kindOf(sniffed), "tls");
    assert.ok(sniffed.kind === "tls");
    assert.equal(sniffed.serverName, undefined);
    assert.equal(sniffed.invalidName, shown);
    assert.ok(shown.length <= 255);
  });

const NAME = Buffer.from("\0\0\x09a.example", "latin1");
for (const [what, data] of [
  ["without a list", Buffer.alloc(0)],
  ["with an empty list", wire.vector16()],
  ["with bytes after its list", Buffer.concat([wire.vector16(NAME), Buffer.from([0])])],
  ["with bytes after its name", wire.vector16(NAME, Buffer.from([0]))],
  ["with a list longer than itself", Buffer.concat([wire.uint16(NAME.length + 1), NAME])],
  ["with a name longer than its list", wire.vector16(NAME.subarray(0, -1))],
  ["with a name of another type", wire.vector16(Buffer.from([1, 0, 1, 97]))],
  ["with a second name of another type", wire.vector16(NAME, Buffer.from([1, 0, 1, 97]))],
] as const)
  test(`a server_name extension ${what} makes the hello malformed`, () => {
    const bytes = wire.withServerName(hello, { type: wire.SERVER_NAME, data });
    assert.match(kindOf(sniff(bytes)), /^malformed: .*server_name/);
  });

for (const [what, ...lists] of [
  ["empty", wire.vector16()],
  ["with an empty protocol", wire.vector16(wire.vector8())],
  ["with bytes after it", Buffer.concat([wire.vector16(wire.vector8(NAME)), NAME])],
  ["said twice", wire.vector16(wire.vector8(NAME)), wire.vector16(wire.vector8(NAME))],
] as const)
  test(`a list of application protocols ${what} makes the hello malformed`, () => {
    const { prefix } = wire.takeApart(hello);
    const extensions = lists.map((data) => ({ type: wire.ALPN, data }));
    const bytes = wire.putTogether({ prefix, extensions });
    assert.match(kindOf(sniff(bytes)), /^malformed: .*application protocols/);
  });

test("very many application protocols are cut short, and unprintable ones escaped", () => {
  const { prefix } = wire.takeApart(hello);
  const data = wire.vector16(
    ...Array.from({ length: 20_000 }, () => wire.vector8(Buffer.from([7]))),
  );
  const bytes = wire.handshake(prefix, wire.extensionBlock([{ type: wire.ALPN, data }]));
  const sniffed = sniff(bytes);
  assert.ok(sniffed.kind === "tls");
  assert.deepEqual(sniffed.alpn, Array(16).fill("\\x07"));
});

test("a body that does not add up is malformed", () => {
  const start = Buffer.concat([Buffer.from([3, 3]), Buffer.alloc(32)]);
  const suites = wire.vector16(Buffer.from([0x13, 1]));
  const none = wire.vector8();
  const one = wire.vector8(Buffer.alloc(1));
  const body = Buffer.concat([start, none, suites, one]);
  assert.equal(kindOf(sniff(wire.handshake(body))), "tls");
  for (const [what, bytes, problem] of [
    ["a session id of 33", [start, wire.vector8(Buffer.alloc(33)), suites, one], /session id/],
    ["odd cipher suites", [start, none, wire.vector16(Buffer.alloc(3)), one], /half/],
    ["no cipher suites", [start, none, wire.vector16(), one], /no cipher suites/],
    ["no compression methods", [start, none, suites, none], /has none/],
    ["a byte after it", [body, Buffer.alloc(1)], /extensions/],
    ["a byte after its extensions", [body, wire.vector16(), Buffer.alloc(1)], /extensions/],
    [
      "its extensions cut short",
      [body, wire.vector16(Buffer.alloc(4)).subarray(0, -1)],
      /extensions/,
    ],
    ["half an extension", [body, wire.vector16(Buffer.alloc(3))], /an extension/],
    ["an extension cut short", [body, wire.vector16(Buffer.from([9, 9, 0, 1]))], /an extension/],
  ] as const)
    assert.match(kindOf(sniff(wire.handshake(...bytes))), problem, what);
  for (let length = 0; length < body.length; length++)
    assert.match(kindOf(sniff(wire.handshake(body.subarray(0, length)))), /ends before|half/);
});

test("a record is read once it is whole, as OpenSSL does", () => {
  const message = Buffer.concat([wire.messageOf(hello), Buffer.alloc(10)]);
  const bytes = wire.records(message);
  const cut = sniff(bytes.subarray(0, -1));
  assert.deepEqual(cut, { kind: "more", protocol: "tls", needs: bytes.length });
  assert.equal(kindOf(sniff(bytes)), "tls");
});

for (const [what, bytes, problem] of [
  ["an empty record", Buffer.from([22, 3, 1, 0, 0]), /empty record/],
  ["a record over 16 KiB", Buffer.from([22, 3, 1, 0x40, 1]), /16385/],
  ["a ServerHello", Buffer.from([22, 3, 1, 0, 9, 2]), /type 2/],
  ["a message over 64 KiB", Buffer.from([22, 3, 1, 0, 9, 1, 0, 255, 250, 1, 1, 1, 1, 1]), /64 KiB/],
  ["an alert in between", Buffer.from([22, 3, 1, 0, 2, 1, 0, 21, 3, 1, 0, 2, 1, 0]), /type 21/],
  ["an empty record in between", Buffer.from([22, 3, 1, 0, 1, 1, 22, 3, 1, 0, 0]), /empty record/],
  ["another version in between", Buffer.from([22, 3, 1, 0, 1, 1, 22, 2, 0, 0, 1]), /version 2/],
] as const)
  test(`${what} is malformed as soon as it is there`, () => {
    assert.match(kindOf(sniff(bytes)), problem);
    assert.equal(sniff(bytes.subarray(0, 4)).kind, "more");
  });

test("a ClientHello may fill all that the engine shows, and no byte more", () => {
  const { prefix, extensions } = wire.takeApart(hello);
  const filled = (padding: number) =>
    wire.putTogether({
      prefix,
      extensions: [...extensions, { type: 21, data: Buffer.alloc(padding) }],
    });
  const padding = MAX_HEAD - filled(0).length - 3 * 5;
  const most = filled(padding);
  assert.equal(most.length, MAX_HEAD);
  assert.equal(kindOf(sniffGrowing(most).last), "tls");
  assert.match(kindOf(sniffGrowing(filled(padding + 1)).last), /64 KiB/);
});

test("a hello in the form of SSL 2, and what only begins like a record, are opaque", () => {
  for (const bytes of [
    Buffer.from([0x80, 0x2e, 1, 3, 1, 0, 3]),
    Buffer.from([22, 2, 0]),
    Buffer.from([22, 0]),
    Buffer.from([23, 3, 3]),
    Buffer.from([21, 3, 1]),
  ])
    assert.deepEqual(sniff(bytes), { kind: "opaque" });
});

test("any bytes are judged without an exception, and `more` always needs more", () => {
  const start = fc.constantFrom<number[]>([], [22], [22, 3], [22, 3, 1, 0, 60, 1, 0, 0, 56, 3, 3]);
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 300 }), (first, rest) => {
      const sniffed = sniff(Buffer.from([...first, ...rest]));
      const length = first.length + rest.length;
      if (sniffed.kind === "more") return sniffed.needs > length && sniffed.needs <= MAX_HEAD;
      return true;
    }),
    { seed: 4, numRuns: 5_000 },
  );
});
