import assert from "node:assert/strict";
import { test } from "node:test";
import { forwardRequest, forwardResponse } from "../../src/http/message/forward.ts";
import { DEFAULT_HEAD_LIMITS } from "../../src/http/message/head-end.ts";
import { readRequest } from "../../src/http/message/request-head.ts";
import { readResponse } from "../../src/http/message/response-head.ts";
import { WEB_SOCKET_ACCEPT, WEB_SOCKET_KEY } from "./corpus/responses.ts";

const headOf = (lines: readonly string[]) => [...lines, "", ""].join("\r\n");
const HOST = "Host: a.example";

function request(lines: readonly string[], host?: string): string {
  const head = readRequest(headOf(lines), DEFAULT_HEAD_LIMITS);
  assert.ok(head.kind === "request", JSON.stringify(head));
  return forwardRequest(head, host === undefined ? {} : { host });
}

const KEY = `Sec-WebSocket-Key: ${WEB_SOCKET_KEY}`;
const VERSION = "Sec-WebSocket-Version: 13";

for (const [what, came, goes = came] of [
  ["curl's", ["GET / HTTP/1.1", HOST, "User-Agent: curl/7.88.1", "Accept: */*"]],
  ["Node's fetch", ["GET / HTTP/1.1", "host: a.example", "connection: keep-alive", "accept: */*"]],
  [
    "one in odd spelling",
    ["POST / HTTP/1.1", "hOST:a.example", "X:\t y ", "COOKIE: a=b; c", "cOntent-length: 5"],
  ],
  [
    "one with a trace",
    ["GET / HTTP/1.1", HOST, "traceparent: 00-0af7-b7ad-01", "Via: 1.1 a", "X-Forwarded-For: b"],
  ],
  [
    "one that expects",
    ["PUT / HTTP/1.1", HOST, "Expect: 100-continue", "Transfer-Encoding: chunked"],
  ],
  [
    "a WebSocket handshake",
    ["GET / HTTP/1.1", HOST, "Connection: keep-alive, Upgrade", "Upgrade: websocket", VERSION, KEY],
  ],
  ["of HTTP/1.0", ["GET / HTTP/1.0", HOST], ["GET / HTTP/1.1", HOST]],
  [
    "of HTTP/1.0, kept alive",
    ["GET / HTTP/1.0", "Connection: Keep-Alive", HOST],
    ["GET / HTTP/1.1", "Connection: Keep-Alive", HOST],
  ],
  [
    "of HTTP/1.0, and expects",
    ["POST / HTTP/1.0", HOST, "Expect: 100-continue", "Content-Length: 5"],
    ["POST / HTTP/1.1", HOST, "Content-Length: 5"],
  ],
  ["in absolute form", ["GET http://a.example/b?c HTTP/1.1", HOST], ["GET /b?c HTTP/1.1", HOST]],
  [
    "in absolute form without a path",
    ["GET http://a.example HTTP/1.1", HOST],
    ["GET / HTTP/1.1", HOST],
  ],
  [
    "OPTIONS in absolute form without a path",
    ["OPTIONS http://a.example HTTP/1.1", HOST],
    ["OPTIONS * HTTP/1.1", HOST],
  ],
  [
    "the app's last",
    ["GET / HTTP/1.1", HOST, "Connection: close", "X: y"],
    ["GET / HTTP/1.1", HOST, "X: y"],
  ],
  [
    "one with fields of its hop",
    ["GET / HTTP/1.1", "Keep-Alive: 5", HOST, "Proxy-Connection: x", "X: y"],
    ["GET / HTTP/1.1", HOST, "X: y"],
  ],
  [
    "one with a proxy's password",
    ["GET / HTTP/1.1", HOST, "Proxy-Authorization: Basic YTpi"],
    ["GET / HTTP/1.1", HOST],
  ],
  [
    "one with options",
    ["GET / HTTP/1.1", "X-A: b", "Connection: x-a, close", HOST, "x-A: c", "X-AB: d"],
    ["GET / HTTP/1.1", HOST, "X-AB: d"],
  ],
  [
    "one with options in two fields",
    ["GET / HTTP/1.1", "Connection: x-a", HOST, "Connection: x-b", "X-B: c"],
    ["GET / HTTP/1.1", HOST],
  ],
  [
    "one that can take trailers",
    ["GET / HTTP/1.1", HOST, "TE: gzip, trailers;q=1, Trailers", "Connection: te"],
    ["GET / HTTP/1.1", HOST, "connection: te", "te: trailers"],
  ],
  [
    "one that can take codings only",
    ["GET / HTTP/1.1", HOST, "TE: gzip", "Connection: TE"],
    ["GET / HTTP/1.1", HOST],
  ],
  [
    "one that would rather speak h2c",
    [
      "GET / HTTP/1.1",
      HOST,
      "Connection: Upgrade, HTTP2-Settings",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMA",
    ],
    ["GET / HTTP/1.1", HOST],
  ],
  [
    "one with settings of HTTP/2 alone",
    ["GET / HTTP/1.1", HOST, "HTTP2-Settings: AAMA"],
    ["GET / HTTP/1.1", HOST],
  ],
  [
    "a handshake without a version",
    ["GET / HTTP/1.1", HOST, "Connection: Upgrade", "Upgrade: websocket", KEY],
    ["GET / HTTP/1.1", HOST, KEY],
  ],
  [
    "a handshake to two protocols",
    [
      "GET / HTTP/1.1",
      HOST,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Upgrade: h2c",
      VERSION,
      KEY,
    ],
    ["GET / HTTP/1.1", HOST, VERSION, KEY],
  ],
  [
    "a handshake with more options",
    [
      "GET / HTTP/1.1",
      HOST,
      "Connection: Upgrade, X-A",
      "X-A: b",
      "Upgrade: websocket",
      VERSION,
      KEY,
    ],
    ["GET / HTTP/1.1", HOST, "Upgrade: websocket", VERSION, KEY, "connection: upgrade"],
  ],
] as const)
  test(`a request, ${what}, goes on ${goes === came ? "as it came" : "without what is not for the destination"}`, () => {
    const sent = request(came);
    assert.equal(sent, headOf(goes ?? came));
    // What has been written once is not changed again.
    assert.equal(request(sent.split("\r\n").slice(0, -2)), sent);
  });

test("another host stands in for the Host, where and as that is spelled", () => {
  assert.equal(
    request(
      ["GET http://a.example/ HTTP/1.1", "X: y", "hOST:\ta.example ", "Connection: close", "Z: z"],
      "b.example",
    ),
    headOf(["GET / HTTP/1.1", "X: y", "hOST: b.example", "Z: z"]),
  );
});

interface Onward {
  readonly close?: boolean;
  readonly clientMinor?: 0 | 1;
  readonly bare?: boolean;
  readonly method?: string;
  readonly webSocketKey?: string;
}

function response(lines: readonly string[], onward: Onward = {}): string {
  const { close = false, clientMinor = 1, bare = false, method = "GET", webSocketKey } = onward;
  const head = readResponse(headOf(lines), { method, webSocketKey }, DEFAULT_HEAD_LIMITS);
  assert.ok(head.kind === "response", JSON.stringify(head));
  return forwardResponse(head, { close, clientMinor, bare });
}

const LAST: Onward = { close: true };
const OLD: Onward = { close: true, clientMinor: 0, bare: true };
const OK = "HTTP/1.1 200 OK";
const FIVE = "Content-Length: 5";
const CHUNKED = "Transfer-Encoding: chunked";

for (const [what, onward, came, goes = came] of [
  ["nginx's", {}, [OK, "Server: nginx", FIVE, "Connection: keep-alive"]],
  ["Node's", {}, [OK, "Connection: keep-alive", "Keep-Alive: timeout=5", CHUNKED]],
  ["without Connection, the last", LAST, [OK, FIVE], [OK, FIVE, "connection: close"]],
  [
    "kept alive, the last",
    LAST,
    [OK, "Connection: keep-alive", "Keep-Alive: timeout=5", FIVE],
    [OK, FIVE, "connection: close"],
  ],
  ["closing, the last", LAST, [OK, "Connection: close", FIVE]],
  [
    "closing and kept alive, the last",
    LAST,
    [OK, "Connection: close, keep-alive", FIVE],
    [OK, FIVE, "connection: close"],
  ],
  [
    "closing, and the app's goes on",
    {},
    [OK, "Connection: close", "Keep-Alive: timeout=5", FIVE],
    [OK, FIVE],
  ],
  ["of HTTP/1.0", LAST, ["HTTP/1.0 200 OK", FIVE], [OK, FIVE, "connection: close"]],
  [
    "of HTTP/1.0, kept alive",
    {},
    ["HTTP/1.0 200 Fine", FIVE, "Connection: keep-alive", "Keep-Alive: 5"],
    ["HTTP/1.1 200 Fine", FIVE, "Connection: keep-alive"],
  ],
  ["without a reason", {}, ["HTTP/1.1 200", FIVE], ["HTTP/1.1 200 ", FIVE]],
  ["with an empty reason", {}, ["HTTP/1.1 200 ", FIVE]],
  [
    "chunked, to HTTP/1.0",
    OLD,
    [OK, CHUNKED, "Trailer: X", "X: y"],
    [OK, "X: y", "connection: close"],
  ],
  ["measured, to HTTP/1.0", OLD, [OK, FIVE], [OK, FIVE, "connection: close"]],
  [
    "to HEAD of HTTP/1.0",
    { ...LAST, clientMinor: 0, method: "HEAD" },
    [OK, CHUNKED],
    [OK, "connection: close"],
  ],
  ["to HEAD", { method: "HEAD" }, [OK, CHUNKED]],
  ["chunked, with trailers to come", {}, [OK, "Trailer: X", CHUNKED]],
  [
    "with fields of its hop",
    {},
    [OK, "Upgrade: h2,h2c", "Connection: Upgrade", "TE: a", "Proxy-Connection: b", FIVE],
    [OK, FIVE],
  ],
  [
    "of a proxy",
    {},
    ["HTTP/1.1 407 No", "Proxy-Authenticate: Basic", FIVE],
    ["HTTP/1.1 407 No", FIVE],
  ],
  [
    "with options",
    {},
    [OK, "X-A: b", "Connection: x-a, keep-alive", "Keep-Alive: 5", FIVE],
    [OK, "Keep-Alive: 5", FIVE],
  ],
  [
    "in our name",
    {},
    [
      OK,
      "x-sallyport-reason: allowed",
      "X-SALLYPORT-Rule-That-Has-A-Long-Name: b",
      "X-Sally: c",
      FIVE,
    ],
    [OK, "X-Sally: c", FIVE],
  ],
  [
    "without content, yet of a length",
    {},
    ["HTTP/1.1 204 No Content", "Content-Length: 0"],
    ["HTTP/1.1 204 No Content"],
  ],
  ["not modified, of a length", {}, ["HTTP/1.1 304 Not Modified", FIVE]],
  ["interim", LAST, ["HTTP/1.1 103 Early Hints", "Link: </a>"]],
  [
    "interim, of a length",
    {},
    ["HTTP/1.1 100 Continue", "Content-Length: 0"],
    ["HTTP/1.1 100 Continue"],
  ],
  [
    "switching to WebSocket",
    { ...LAST, webSocketKey: WEB_SOCKET_KEY },
    [
      "HTTP/1.1 101 Switching",
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Accept: ${WEB_SOCKET_ACCEPT}`,
    ],
  ],
  [
    "switching to WebSocket, with more options",
    { webSocketKey: WEB_SOCKET_KEY },
    [
      "HTTP/1.1 101 Switching",
      "Upgrade: websocket",
      "Connection: upgrade, x",
      "X: y",
      `Sec-WebSocket-Accept: ${WEB_SOCKET_ACCEPT}`,
    ],
    [
      "HTTP/1.1 101 Switching",
      "Upgrade: websocket",
      `Sec-WebSocket-Accept: ${WEB_SOCKET_ACCEPT}`,
      "connection: upgrade",
    ],
  ],
] as const)
  test(`a response, ${what}, goes on ${goes === came ? "as it came" : "without what is not for the app"}`, () => {
    const sent = response(came, onward);
    assert.equal(sent, headOf(goes ?? came));
    assert.equal(response(sent.split("\r\n").slice(0, -2), onward), sent);
  });
