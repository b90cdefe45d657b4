import assert from "node:assert/strict";
import { test } from "node:test";
import { forwardRequest } from "../../src/http/message/forward.ts";
import { DEFAULT_HEAD_LIMITS } from "../../src/http/message/head-end.ts";
import { readRequest } from "../../src/http/message/request-head.ts";
import { fewestMs } from "../support/fewest-ms.ts";

const HOST = "Host: a.example";
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

const read = (line: string, ...fields: readonly string[]) =>
  readRequest([line, HOST, ...fields, "", ""].join("\r\n"), DEFAULT_HEAD_LIMITS);

test("a request is understood whole", () => {
  const { parts: _, ...understood } = Object(
    read(
      "POST /a?b=c HTTP/1.1",
      "Content-Length: 5",
      "Accept: application/json",
      "Expect: 100-continue",
    ),
  );
  assert.deepEqual(understood, {
    ...{ kind: "request", method: "POST", target: "/a?b=c", minor: 1 },
    ...{ host: "a.example", name: "a.example", invalidName: undefined, port: undefined },
    ...{ framing: { kind: "length", length: 5 }, keepsAlive: true, expectsContinue: true },
    ...{ webSocketKey: undefined, wantsJson: true, isRepeatable: false, bindsConnection: false },
  });
});

for (const [line, fields, understood] of [
  ["GET / HTTP/1.1", [], { framing: { kind: "none" }, keepsAlive: true, isRepeatable: true }],
  ["GET / HTTP/1.0", ["Connection: keep-alive"], { minor: 0, keepsAlive: false }],
  ["GET / HTTP/1.1", ["Connection: close"], { keepsAlive: false }],
  ["GET / HTTP/1.1", ["Connection: x, Close"], { keepsAlive: false }],
  ["GET / HTTP/1.1", ["Connection: keep-alive", "Connection: close"], { keepsAlive: false }],
  ["GET / HTTP/1.1", ["Connection: keep-alive"], { keepsAlive: true }],
  ["GET / HTTP/1.1", ["Content-Length: 0"], { isRepeatable: true }],
  ["GET / HTTP/1.1", ["Content-Length: 1"], { isRepeatable: false }],
  ["PUT / HTTP/1.1", ["Transfer-Encoding: chunked"], { isRepeatable: false }],
  ["PUT / HTTP/1.1", [], { isRepeatable: true }],
  ["POST / HTTP/1.1", [], { isRepeatable: false, framing: { kind: "none" } }],
  ["PATCH / HTTP/1.1", [], { isRepeatable: false }],
  ["DELETE / HTTP/1.1", ["Content-Length: 5"], { framing: { kind: "length", length: 5 } }],
  ["OPTIONS / HTTP/1.1", ["Transfer-Encoding: CHUNKED"], { framing: { kind: "chunked" } }],
  ["POST / HTTP/1.1", ["Content-Length:5"], { framing: { kind: "length", length: 5 } }],
  [
    "POST / HTTP/1.1",
    ["content-length: 9007199254740991"],
    { framing: { kind: "length", length: Number.MAX_SAFE_INTEGER } },
  ],
  ["POST / HTTP/1.0", ["Expect: 100-continue", "Content-Length: 5"], { expectsContinue: false }],
  ["POST / HTTP/1.1", ["Expect: 100-continue", "Content-Length: 0"], { expectsContinue: false }],
  ["GET / HTTP/1.1", ["Authorization: Basic YTpi"], { bindsConnection: false }],
  ["GET / HTTP/1.1", ["Authorization: NTLM TlRMTVNTUAAB"], { bindsConnection: true }],
  ["GET / HTTP/1.1", ["Authorization: negotiate YII"], { bindsConnection: true }],
  ["GET http://a.example HTTP/1.1", [], { target: "/" }],
  ["GET HTTP://A.Example:80?b HTTP/1.1", [], { target: "/?b" }],
  ["GET https://a.example:443/b HTTP/1.1", [], { target: "/b" }],
  ["OPTIONS http://a.example HTTP/1.1", [], { target: "*" }],
  ["OPTIONS http://a.example/ HTTP/1.1", [], { target: "/" }],
  ["OPTIONS * HTTP/1.1", [], { target: "*" }],
  ["GET //b.example/a HTTP/1.1", [], { target: "//b.example/a", name: "a.example" }],
  ["TRACE / HTTP/1.1", [], { framing: { kind: "none" } }],
] as const)
  test(`${line} with ${JSON.stringify(fields)}: ${JSON.stringify(understood)}`, () => {
    const head = Object(read(line, ...fields));
    assert.equal(head.kind, "request", head.problem);
    for (const [key, value] of Object.entries(understood)) assert.deepEqual(head[key], value, key);
  });

const handshake = [
  ...["Connection: keep-alive, Upgrade", "Upgrade: WebSocket"],
  ...["Sec-WebSocket-Version: 13", `Sec-WebSocket-Key: ${KEY}`],
];

test("a WebSocket handshake is known by its key", () => {
  const head = read("GET /chat HTTP/1.1", ...handshake);
  assert.ok(head.kind === "request");
  assert.equal(head.webSocketKey, KEY);
});

for (const [what, line, ...fields] of [
  ["not GET", "POST / HTTP/1.1", ...handshake],
  ["of HTTP/1.0", "GET / HTTP/1.0", ...handshake],
  ["one with a body", "GET / HTTP/1.1", ...handshake, "Content-Length: 5"],
  ["one without the option", "GET / HTTP/1.1", ...handshake.slice(1)],
  ["one without Upgrade", "GET / HTTP/1.1", ...handshake.filter((_, at) => at !== 1)],
  ["one without a version", "GET / HTTP/1.1", ...handshake.filter((_, at) => at !== 2)],
  ["one without a key", "GET / HTTP/1.1", ...handshake.slice(0, 3)],
  ["one with two keys", "GET / HTTP/1.1", ...handshake, `Sec-WebSocket-Key: ${KEY}`],
  ["one with two versions", "GET / HTTP/1.1", ...handshake, "Sec-WebSocket-Version: 13"],
  ["one with two protocols", "GET / HTTP/1.1", ...handshake, "Upgrade: websocket"],
  [
    "of version 8",
    "GET / HTTP/1.1",
    ...handshake.slice(0, 2),
    "Sec-WebSocket-Version: 8",
    ...handshake.slice(3),
  ],
  [
    "one with a key of 15 bytes",
    "GET / HTTP/1.1",
    ...handshake.slice(0, 3),
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j",
  ],
  [
    "one whose key has loose bits",
    "GET / HTTP/1.1",
    ...handshake.slice(0, 3),
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==",
  ],
] as const)
  test(`a handshake that is ${what} is an ordinary request`, () => {
    const head = read(line, ...fields);
    assert.ok(head.kind === "request");
    assert.equal(head.webSocketKey, undefined);
  });

for (const [status, problem, line, ...fields] of [
  [400, /tunnel, which nobody could judge/, "CONNECT a.example:443 HTTP/1.1"],
  [400, /some take for CONNECT/, "Connect / HTTP/1.1"],
  [400, /some take for HEAD/, "head / HTTP/1.1"],
  [400, /HTTP\/1\.2, not HTTP\/1\.0 or HTTP\/1\.1/, "GET / HTTP/1.2"],
  [400, /request line/, "GET  / HTTP/1.1"],
  [400, /not a method: "G\(T"/, "G(T / HTTP/1.1"],
  [400, /more than 32 characters/, `${"A".repeat(33)} / HTTP/1.1`],
  [400, /fragment/, "GET /a#b HTTP/1.1"],
  [400, /not a request target: "a"/, "GET a HTTP/1.1"],
  [400, /for OPTIONS, not for GET/, "GET * HTTP/1.1"],
  [400, /not a host in the target/, "GET http://u@a.example/ HTTP/1.1"],
  [400, /target names "b.example", and the Host "a.example"/, "GET http://b.example/ HTTP/1.1"],
  [414, /longer than 16384 bytes/, `GET /${"a".repeat(16_384)} HTTP/1.1`],
  [431, /more than 256 fields/, "GET / HTTP/1.1", ...Array(256).fill("X: y")],
  [431, /longer than 65536 bytes/, "GET / HTTP/1.1", `X: ${"y".repeat(65_500)}`],
  [400, /more than one Host/, "GET / HTTP/1.1", "host: a.example"],
  [400, /a bare CR/, "GET / HTTP/1.1", "X: y\rZ: z"],
  [400, /bare LF/, "GET / HTTP/1.1", "X: y\nZ: z"],
  [400, /space before the colon/, "GET / HTTP/1.1", "X : y"],
  [400, /went on from the last/, "GET / HTTP/1.1", "X: y", " z"],
  [400, /not a header field: "X\\x00: y"/, "GET / HTTP/1.1", "X\0: y"],
  [
    400,
    /both Content-Length and Transfer-Encoding/,
    "GET / HTTP/1.1",
    "Content-Length: 0",
    "Transfer-Encoding: chunked",
  ],
  [400, /more than one Content-Length/, "GET / HTTP/1.1", "Content-Length: 0", "Content-Length: 0"],
  [
    400,
    /more than one Transfer-Encoding/,
    "GET / HTTP/1.1",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: chunked",
  ],
  [400, /Content-Length is "\+5", not a length/, "GET / HTTP/1.1", "Content-Length: +5"],
  [
    400,
    /Content-Length is "9007199254740992"/,
    "GET / HTTP/1.1",
    "Content-Length: 9007199254740992",
  ],
  [400, /Transfer-Encoding is "gzip", not chunked/, "GET / HTTP/1.1", "Transfer-Encoding: gzip"],
  [400, /Transfer-Encoding in HTTP\/1\.0/, "GET / HTTP/1.0", "Transfer-Encoding: chunked"],
  [400, /some take for transfer-encoding/, "GET / HTTP/1.1", "Transfer_Encoding: chunked"],
  [400, /TRACE with a body/, "TRACE / HTTP/1.1", "Content-Length: 5"],
  [400, /Connection names host/, "GET / HTTP/1.1", "Connection: Host"],
  [400, /not a connection option: "a b"/, "GET / HTTP/1.1", "Connection: a b"],
  [417, /Expect is "200-ok"/, "GET / HTTP/1.1", "Expect: 200-ok"],
  [417, /more than one Expect/, "GET / HTTP/1.1", "Expect: 100-continue", "Expect: 100-continue"],
] as const)
  test(`${line.slice(0, 60)} with ${JSON.stringify(fields.slice(0, 2)).slice(0, 80)} is ${status}: ${problem.source}`, () => {
    const head = read(line, ...fields);
    assert.ok(head.kind === "fault");
    assert.match(head.problem, problem);
    assert.equal(head.status, status);
  });

for (const [what, head] of [
  ["a byte other than LF behind the line's CR", "GET / HTTP/1.1\rXHost: a.example\r\n\r\n"],
  ["more than the head", "GET / HTTP/1.1\r\nHost: a.example\r\n\r\nX"],
  ["less than the head", "GET / HTTP/1.1\r\nHost: a.example\r\n"],
  ["an empty Host", "GET / HTTP/1.1\r\nHost: \r\n\r\n"],
  ["no Host", "GET / HTTP/1.0\r\n\r\n"],
  ["nothing", ""],
] as const)
  test(`${what} is a fault`, () => {
    assert.equal(readRequest(head, DEFAULT_HEAD_LIMITS).kind, "fault");
  });

test("64 KiB of anything is read or refused within milliseconds", () => {
  for (const part of ["x,", "a:b\r\n", ", ", "\t", "keep-alive,", ";q=1,", "trailers ,", "json "])
    for (const name of ["Connection", "Accept", "TE", "Expect", "Host", "Content-Length"]) {
      const fields = [HOST, "X: y", `${name}: ${part.repeat(65_000 / part.length)}`];
      const text = ["GET / HTTP/1.1", ...fields, "", ""].join("\r\n");
      const ms = fewestMs(() => {
        const head = readRequest(text, DEFAULT_HEAD_LIMITS);
        if (head.kind === "request") forwardRequest(head);
      });
      assert.ok(ms < 100, JSON.stringify([name, part]));
    }
});

test("as much as the limits allow is read", () => {
  const fields = Array.from({ length: 254 }, (_, n) => `X-${n}: y`);
  assert.equal(read(`GET /${"a".repeat(16_383)} HTTP/1.1`, ...fields, "X: z").kind, "request");
});
