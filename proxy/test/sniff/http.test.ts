import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MAX_HEAD, type Sniff, sniff } from "../../src/sniff/sniff.ts";
import { fewestMs } from "../support/fewest-ms.ts";

const of = (text: string): Sniff => sniff(Buffer.from(text, "latin1"));
const get = (...fields: readonly string[]) =>
  of(["GET /a HTTP/1.1", ...fields, "", ""].join("\r\n"));
const http = (more: object) => ({
  kind: "http",
  method: "GET",
  path: "/a",
  hostPort: undefined,
  wantsJson: false,
  ...more,
});

for (const [what, head, expected] of [
  ["a GET", "GET /a?b=c HTTP/1.1\r\nHost: example.com\r\n\r\n", { host: "example.com" }],
  [
    "a HEAD in HTTP/1.0",
    "HEAD /a HTTP/1.0\r\nhost:example.com\r\n\r\n",
    { method: "HEAD", host: "example.com" },
  ],
  [
    "an OPTIONS of the server",
    "OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n",
    { method: "OPTIONS", path: "*", host: "a.example" },
  ],
  [
    "a POST and its body",
    "POST /a HTTP/1.1\r\nContent-Length: 4\r\nHost: a.example:8080\r\n\r\n\n\n\n\n",
    { method: "POST", host: "a.example", hostPort: 8080 },
  ],
  [
    "an absolute target",
    "GET http://A.example:80/a?b HTTP/1.1\r\nHost: a.example\r\n\r\n",
    { host: "a.example" },
  ],
  [
    "an absolute target without a path",
    "GET HTTP://a.example:8080 HTTP/1.1\r\nHost: a.example:8080\r\n\r\n",
    { path: "/", host: "a.example", hostPort: 8080 },
  ],
  [
    "a GET that prefers JSON",
    "GET /a HTTP/1.1\r\nHost: a.example\r\nAccept: application/json\r\n\r\n",
    { host: "a.example", wantsJson: true },
  ],
  [
    "bytes above ASCII in target and field",
    "GET /\xe4 HTTP/1.1\r\nHost: a.example\r\nX: \xe4\r\n\r\n",
    { path: "/\\xe4", host: "a.example" },
  ],
] as const)
  test(`${what} is read`, () => assert.deepEqual(of(head), http(expected)));

for (const [said, host, hostPort] of [
  ["Host: WWW.Example.COM.", "www.example.com", undefined],
  ["HOST:\t a.example \t", "a.example", undefined],
  ["Host: a.example:65535", "a.example", 65_535],
  ["Host: a.example:", "a.example", undefined],
  ["Host: a.example:0080", "a.example", 80],
  ["Host: my_host", "my_host", undefined],
] as const)
  test(`${JSON.stringify(said)} is ${host}`, () =>
    assert.deepEqual(get(said), http({ host, hostPort })));

for (const [what, said, shown = said] of [
  ["an IPv4 address", "192.0.2.1:80"],
  ["an IPv6 address", "[2001:db8::1]:80"],
  ["a list without spaces", "a.example,b.example"],
  ["one with a port of zero", "a.example:0"],
  ["one with a port above 65535", "a.example:65536"],
  ["one with an escape", "a%2eexample"],
  ["60,000 characters, cut", "a".repeat(60_000), `${"a".repeat(252)}...`],
] as const)
  test(`a Host that is ${what} is a host, and never a name`, () => {
    const expected = { kind: "http", invalidHost: shown, method: "GET", path: "/a" };
    assert.deepEqual(get(`Host: ${said}`), { ...expected, wantsJson: false });
  });

for (const [what, ...fields] of [
  ["empty", "Host:"],
  ["given twice", "Host: a.example", "host: b.example"],
  ["given twice the same", "Host: a.example", "Host: a.example"],
  ["a list", "Host: a.example, b.example"],
  ["one with two ports", "Host: a.example:80:81"],
  ["one with a port that is a name", "Host: a.example:http"],
  ["one with user information", "Host: u@a.example"],
  ["one with a path", "Host: a.example/b"],
  ["one with a no-break space", "Host: \xa0a.example"],
  ["not ASCII", "Host: b\xfccher.example"],
  ["one with a tab inside", "Host: a.example\tb"],
  ["not there"],
] as const)
  test(`a Host that is ${what} is malformed`, () => {
    assert.equal(get(...fields).kind, "malformed");
  });

test("without a Host a request is malformed, whatever its target and version", () => {
  for (const head of ["GET /a HTTP/1.0\r\n\r\n", "GET http://a.example/a HTTP/1.1\r\nX: y\r\n\r\n"])
    assert.deepEqual(of(head), {
      ...{ kind: "malformed", protocol: "http", problem: "no Host", status: 400 },
    });
});

for (const [target, host] of [
  ["http://b.example/a", "a.example"],
  ["http://a.example:8080/a", "a.example"],
  ["http://a.example/a", "a.example:8080"],
  ["https://a.example/a", "a.example:80"],
  ["http://u@a.example/a", "a.example"],
  ["http://b.example#@a.example/a", "a.example"],
  ["http://b.example\\@a.example/a", "a.example"],
  ["http:///a", "a.example"],
] as const)
  test(`the target ${target} and the Host ${host} do not agree, which is malformed`, () => {
    const sniffed = of(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    assert.ok(sniffed.kind === "malformed" && sniffed.status === 400, JSON.stringify(sniffed));
  });

test("CONNECT is refused by its first line", () => {
  const sniffed = of("CONNECT a.example:443 HTTP/1.1\r\n");
  assert.ok(sniffed.kind === "malformed");
  assert.match(sniffed.problem, /tunnel/);
});

for (const [what, status, ...fields] of [
  ["a target of 20,000 bytes", 414],
  ["300 fields", 431, ...Array.from({ length: 300 }, (_, n) => `X-${n}: y`)],
  ["an expectation that nobody knows", 417, "Expect: the-unexpected"],
] as const)
  test(`${what} is answered with ${status}`, () => {
    const target = status === 414 ? `/${"a".repeat(20_000)}` : "/";
    const lines = [`GET ${target} HTTP/1.1`, "Host: a.example", ...fields, "", ""];
    const sniffed = of(lines.join("\r\n"));
    assert.ok(sniffed.kind === "malformed");
    assert.equal(sniffed.status, status);
  });

for (const [what, head] of [
  ["a bare LF after the request line", "GET / HTTP/1.1\nHost: a.example\r\n\r\n"],
  ["a bare LF after a field", "GET / HTTP/1.1\r\nHost: a.example\nX: y\r\n\r\n"],
  ["a bare LF at the end", "GET / HTTP/1.1\r\nHost: a.example\r\n\n"],
  ["two bare LFs at the end", "GET / HTTP/1.1\r\nHost: a.example\n\n"],
  ["a bare LF before the end", "GET / HTTP/1.1\r\nHost: a.example\n\r\n"],
  ["a bare CR in a field", "GET / HTTP/1.1\r\nHost: a.example\rX: y\r\n\r\n"],
  ["a bare CR at the end of a field", "GET / HTTP/1.1\r\nHost: a.example\r\r\n\r\n"],
  ["a bare CR in the request line", "GET /\r HTTP/1.1\r\nHost: a.example\r\n\r\n"],
  ["a folded line", "GET / HTTP/1.1\r\nHost: a\r\n .example\r\n\r\n"],
  ["a folded line before the first field", "GET / HTTP/1.1\r\n X: y\r\nHost: a.example\r\n\r\n"],
  ["a space before the colon", "GET / HTTP/1.1\r\nHost : a.example\r\n\r\n"],
  ["a field without a name", "GET / HTTP/1.1\r\n: a.example\r\n\r\n"],
  ["a field without a colon", "GET / HTTP/1.1\r\nHost\r\n\r\n"],
  ["a NUL in a field", "GET / HTTP/1.1\r\nHost: a.example\0\r\n\r\n"],
  ["a control in a field", "GET / HTTP/1.1\r\nX: \x7f\r\n\r\n"],
  ["a control in the target", "GET /\x01 HTTP/1.1\r\n\r\n"],
  ["a fragment in the target", "GET /a#b HTTP/1.1\r\nHost: a.example\r\n\r\n"],
  ["two spaces before the version", "GET /  HTTP/1.1\r\n\r\n"],
  ["a space in the target", "GET /a b HTTP/1.1\r\n\r\n"],
  ["an asterisk without OPTIONS", "GET * HTTP/1.1\r\n\r\n"],
  ["a target of another scheme", "GET ftp://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n"],
  ["a target that is none", "GET a.example HTTP/1.1\r\nHost: a.example\r\n\r\n"],
  ["version 2.0", "GET / HTTP/2.0\r\n\r\n"],
  ["version 1.2", "GET / HTTP/1.2\r\n\r\n"],
  ["version 0.9", "GET / HTTP/0.9\r\n\r\n"],
  ["HTTP/2's beginning, not gone on with", "PRI * HTTP/2.0\r\nHost: a.example\r\n\r\n"],
] as const)
  test(`${what} is malformed`, () => {
    const sniffed = of(head);
    assert.equal(sniffed.kind, "malformed", JSON.stringify(sniffed));
    assert.equal(sniffed.protocol, "http");
  });

for (const [what, said] of [
  ["a redis command", "*1\r"],
  ["an inline redis command", "PING\r"],
  ["an inline redis GET", "GET /foo\r\n"],
  ["a memcached get", "get foo\r\n"],
  ["SMTP", "EHLO example.com\r\n"],
  ["SSH", "SSH-2.0-OpenSSH_9.2p1\r"],
  ["SSH with a comment", "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"],
  ["PostgreSQL's SSLRequest", "\0"],
  ["an XMPP stream", "<"],
  ["AMQP", "AMQP\0"],
  ["FIX", "8="],
  ["STOMP", "CONNECT\n"],
  ["NATS", 'CONNECT {"verbose":false}\r\n'.slice(0, 9)],
  ["IRC", "NICK sally\r\n"],
  ["LDAP", "0\x0c"],
  ["MQTT", "\x10"],
  ["a PROXY line", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"],
  ["RTSP", "OPTIONS rtsp://a.example RTSP/1.0\r\n"],
  ["SIP", "INVITE sip:a@a.example SIP/2.0\r\n"],
  ["HTTP/0.9", "GET /\r\n"],
  ["an empty line first", "\r"],
  ["a word of 33 letters", "A".repeat(33)],
  ["a version in lower case", "GET / http/1.1\r\n"],
] as const)
  test(`${what} is opaque as soon as it can be told, and not before`, () => {
    assert.deepEqual(of(said), { kind: "opaque" });
    for (let length = 0; length < said.length; length++)
      assert.equal(of(said.slice(0, length)).kind, "more", said.slice(0, length));
  });

test("HTTP/2 without TLS is known by its preface, and by no less of it", () => {
  const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  for (let length = 0; length < preface.length; length++)
    assert.equal(of(preface.slice(0, length)).kind, "more");
  assert.deepEqual(of(preface), { kind: "http2" });
  assert.deepEqual(of(`${preface}\0\0\0`), { kind: "http2" });
});

test("a head split at any byte is unfinished before its end, and HTTP from its first line on", () => {
  const line = "POST /a?b HTTP/1.1\r\n";
  const head = `${line}Host: a.example\r\nContent-Length: 0\r\n\r\n`;
  for (let length = 0; length < head.length; length++) {
    const sniffed = of(head.slice(0, length));
    const protocol = length < line.length ? undefined : "http";
    const expected = { kind: "more", protocol, needs: length + 1 };
    assert.deepEqual({ protocol: undefined, ...sniffed }, expected);
  }
});

test("a head may fill all that the engine shows; one that is longer is malformed", () => {
  const start = "GET / HTTP/1.1\r\nHost: a.example\r\nX: ";
  const most = `${start}${"x".repeat(MAX_HEAD - start.length - 4)}\r\n\r\n`;
  assert.equal(of(most).kind, "http");
  assert.equal(of(most.slice(0, -1)).kind, "more");
  const longer = of(`${start}${"x".repeat(MAX_HEAD)}`.slice(0, MAX_HEAD));
  assert.ok(longer.kind === "malformed" && longer.protocol === "http");
  assert.deepEqual(of(`GET /${"x".repeat(MAX_HEAD)}`.slice(0, MAX_HEAD)), { kind: "opaque" });
});

test("a path is cut and printable", () => {
  const sniffed = of(`GET /${"\xff".repeat(5_000)}?q HTTP/1.1\r\nHost: a.example\r\n\r\n`);
  assert.ok(sniffed.kind === "http");
  assert.match(sniffed.path, /^\/(\\xff)*[\\xf]*\.\.\.$/);
  assert.equal(sniffed.path.length, 1_024);
});

test("64 KiB of anything takes no more than milliseconds", () => {
  for (const unit of [" ", "\t", "\r", "\r\n", "a", "a:", ":", "\xff", "Host: a\r\n", "/", "#"])
    for (const start of ["GET / HTTP/1.1\r\nHost: a", "GET / HTTP/1.1\r\n", "GET /", "GET http://"])
      for (const end of ["b\r\n\r\n", " HTTP/1.1\r\n\r\n", "\n\n"]) {
        const middle = unit.repeat((MAX_HEAD - start.length - end.length) / unit.length);
        const bytes = Buffer.from(`${start}${middle}${end}`, "latin1");
        assert.ok(fewestMs(() => sniff(bytes)) < 100, JSON.stringify([start, unit, end]));
      }
});

test("any bytes are judged without an exception, and what is complete stays so with more bytes", () => {
  const piece = fc.constantFrom(
    ..."GET |POST |CONNECT |/|*|http://a.example| HTTP/1.1|\r\n|\n|\r|Host: a.example|:|X:y| ".split(
      "|",
    ),
  );
  const text = fc.array(fc.oneof(piece, fc.string({ unit: "binary", maxLength: 3 })), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(text, text, (first, rest) => {
      const start = Buffer.from(first.join(""), "latin1");
      const sniffed = sniff(start);
      if (sniffed.kind === "more") return sniffed.needs > start.length;
      assert.deepEqual(
        sniff(Buffer.concat([start, Buffer.from(rest.join(""), "latin1")])),
        sniffed,
      );
      return true;
    }),
    { seed: 4, numRuns: 20_000 },
  );
});
