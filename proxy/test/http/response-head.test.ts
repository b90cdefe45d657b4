import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_HEAD_LIMITS } from "../../src/http/message/head-end.ts";
import { readResponse } from "../../src/http/message/response-head.ts";
import { WEB_SOCKET_ACCEPT, WEB_SOCKET_KEY } from "./corpus/responses.ts";

const read = (
  line: string,
  fields: readonly string[],
  to: Parameters<typeof readResponse>[1] = { method: "GET" },
) => readResponse([line, ...fields, "", ""].join("\r\n"), to, DEFAULT_HEAD_LIMITS);

const NONE = { kind: "none" };
const UNTIL_CLOSE = { kind: "until_close" };

/** RFC 9112 §6.3, each of its cases. */
for (const [method, line, fields, framing, keepsAlive] of [
  ["GET", "HTTP/1.1 200 OK", ["Content-Length: 5"], { kind: "length", length: 5 }, true],
  ["GET", "HTTP/1.1 200 OK", ["Transfer-Encoding: chunked"], { kind: "chunked" }, true],
  ["GET", "HTTP/1.1 200 OK", [], UNTIL_CLOSE, false],
  [
    "GET",
    "HTTP/1.1 200 OK",
    ["Content-Length: 5", "Connection: close"],
    { kind: "length", length: 5 },
    false,
  ],
  [
    "GET",
    "HTTP/1.0 200 OK",
    ["Content-Length: 5", "Connection: keep-alive"],
    { kind: "length", length: 5 },
    false,
  ],
  ["HEAD", "HTTP/1.1 200 OK", ["Content-Length: 5"], NONE, true],
  ["HEAD", "HTTP/1.1 200 OK", ["Transfer-Encoding: chunked"], NONE, true],
  ["HEAD", "HTTP/1.1 200 OK", [], NONE, true],
  ["GET", "HTTP/1.1 304 Not Modified", ["Content-Length: 5"], NONE, true],
  ["GET", "HTTP/1.1 304 Not Modified", ["Transfer-Encoding: chunked"], NONE, true],
  ["GET", "HTTP/1.1 304 Not Modified", [], NONE, true],
  ["GET", "HTTP/1.1 204 No Content", [], NONE, true],
  ["GET", "HTTP/1.1 204 No Content", ["Content-Length: 0"], NONE, true],
  ["GET", "HTTP/1.1 205 Reset Content", ["Content-Length: 0"], { kind: "length", length: 0 }, true],
  ["GET", "HTTP/1.1 100 Continue", [], NONE, true],
  ["HEAD", "HTTP/1.1 103 Early Hints", ["Link: </a>"], NONE, true],
] as const)
  test(`to ${method}, ${line} with ${JSON.stringify(fields)} has ${framing.kind}`, () => {
    const head = read(line, fields, { method });
    assert.ok(head.kind === "response", JSON.stringify(head));
    assert.deepEqual(head.framing, framing);
    assert.equal(head.keepsAlive, keepsAlive);
  });

for (const [problem, line, ...fields] of [
  [/not a status line .*: "HTTP\/1.1 20 OK"/, "HTTP/1.1 20 OK"],
  [/not a status line/, "HTTP/1.1 000 OK"],
  [/not a status line/, "HTTP/2 200 OK"],
  [/bare LF/, "HTTP/1.1 200 OK", "X: y\nZ: z"],
  [/went on from the last/, "HTTP/1.1 200 OK", "X: y", " z"],
  [
    /both Content-Length and Transfer-Encoding/,
    "HTTP/1.1 200 OK",
    "Content-Length: 0",
    "Transfer-Encoding: chunked",
  ],
  [/more than one Content-Length/, "HTTP/1.1 200 OK", "Content-Length: 5", "Content-Length: 5"],
  [/Transfer-Encoding in HTTP\/1\.0/, "HTTP/1.0 200 OK", "Transfer-Encoding: chunked"],
  [/Transfer-Encoding is "gzip, chunked"/, "HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked"],
  [/a 204 with a body/, "HTTP/1.1 204 No Content", "Content-Length: 5"],
  [/a 204 with a body/, "HTTP/1.1 204 No Content", "Transfer-Encoding: chunked"],
  [/a 103 with a body/, "HTTP/1.1 103 Early Hints", "Content-Length: 5"],
  [/Connection names content-length/, "HTTP/1.1 200 OK", "Connection: content-length"],
  [/more than 256 fields/, "HTTP/1.1 200 OK", ...Array(257).fill("X: y")],
  [/longer than 65536 bytes/, "HTTP/1.1 200 OK", `X: ${"y".repeat(65_536)}`],
] as const)
  test(`${line} with ${JSON.stringify(fields.slice(0, 2)).slice(0, 80)} is refused: ${problem.source}`, () => {
    const head = read(line, fields);
    assert.ok(head.kind === "fault");
    assert.match(head.problem, problem);
  });

for (const [what, field, binds] of [
  ["Basic", "WWW-Authenticate: Basic realm=x", false],
  ["NTLM", "WWW-Authenticate: NTLM", true],
  ["Negotiate, among others", "WWW-Authenticate: Basic realm=x, Negotiate", true],
  ["an authenticated connection", "Persistent-Auth: true", true],
] as const)
  test(`a response of ${what} ${binds ? "binds" : "does not bind"} its connection`, () => {
    const head = read("HTTP/1.1 401 Unauthorized", [field, "Content-Length: 0"]);
    assert.ok(head.kind === "response");
    assert.equal(head.bindsConnection, binds);
  });

const switching = [
  ...["Upgrade: websocket", "Connection: Upgrade"],
  `Sec-WebSocket-Accept: ${WEB_SOCKET_ACCEPT}`,
];
const LINE = "HTTP/1.1 101 Switching Protocols";

test("101 is WebSocket's where the request's key is answered", () => {
  const head = read(LINE, switching, { method: "GET", webSocketKey: WEB_SOCKET_KEY });
  assert.ok(head.kind === "response" && head.isWebSocket && head.status === 101);
  assert.deepEqual(head.framing, NONE);
});

for (const [what, line, fields, key] of [
  ["nobody asked for", LINE, switching, undefined],
  ["answers another key", LINE, switching, "AAAAAAAAAAAAAAAAAAAAAA=="],
  ["has no Upgrade", LINE, switching.slice(1), WEB_SOCKET_KEY],
  ["has no option", LINE, switching.filter((_, at) => at !== 1), WEB_SOCKET_KEY],
  ["is of HTTP/1.0", "HTTP/1.0 101 Switching Protocols", switching, WEB_SOCKET_KEY],
  ["has another protocol", LINE, ["Upgrade: h2c", ...switching.slice(1)], WEB_SOCKET_KEY],
  ["has two protocols", LINE, ["Upgrade: websocket", ...switching], WEB_SOCKET_KEY],
] as const)
  test(`a 101 that ${what} is refused`, () => {
    const head = read(line, fields, { method: "GET", webSocketKey: key });
    assert.ok(head.kind === "fault");
    assert.match(head.problem, /101/);
  });
