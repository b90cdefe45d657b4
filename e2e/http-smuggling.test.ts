import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { Hostile } from "../proxy/test/http/corpus/hostile.ts";
import { REQUESTS } from "../proxy/test/http/corpus/requests.ts";
import {
  type HostileResponse,
  RESPONSES,
  WEB_SOCKET_KEY,
} from "../proxy/test/http/corpus/responses.ts";
import { bytewise, whole } from "../proxy/test/http/relay/pieces.ts";
import { readResponses } from "../proxy/test/http/relay/plain-responses.ts";
import { isRefusal, verdictOn } from "../proxy/test/http/relay/request-verdict.ts";
import { verdictOnReply } from "../proxy/test/http/relay/response-verdict.ts";
import type { Heard } from "./support/caller.ts";
import { EgressPod, REAL } from "./support/egress-pod.ts";
import { RecordingOriginProcess } from "./support/recording-origin.ts";
import { pooled } from "./support/told.ts";

/**
 * The corpus of hostile messages through the real sidecar, from an app that dials a public address to an origin that
 * records: what proxy/test/http/relay proves of the HTTP path, here with all that stands before it.
 */
const FIRST_PORT = 10_000;
const PORTS = 2_000;
const AT_ONCE = 16;

const bed = await EgressPod.open(
  { after },
  {
    policy: {
      rules: {
        web: [
          {
            hosts: ["a.example"],
            ports: [{ port: FIRST_PORT, endPort: FIRST_PORT + PORTS - 1, protocol: "http" }],
          },
        ],
      },
    },
    zone: { "a.example": { A: [REAL] }, "c.example": { A: [REAL] } },
    listening: { tls: [], http: [], plain: [] },
    http: { idleUpstreams: 0 },
    waits: { unfinishedMs: 700 },
  },
);
const origin = await RecordingOriginProcess.start(bed.sidecar.world, FIRST_PORT, PORTS);

let ports = FIRST_PORT;
const nextPort = () => ports++;

const MARKER = "GET /marker HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";

/** Said on a connection of its own until that is over. */
function said(port: number, pieces: readonly string[]): Promise<Heard> {
  const say = pieces.map((piece) => Buffer.from(piece, "latin1"));
  return bed.app.call({ address: REAL, port, say, enough: 1e9 });
}

interface Tried<H> {
  readonly hostile: H;
  readonly how: string;
  readonly port: number;
  readonly sent: string;
  readonly heard: Heard;
}

function report(violations: readonly string[], tried: Tried<Hostile>, arrived: string): string[] {
  return violations.map(
    (violation) => `${tried.hostile.name}, ${tried.how}: ${violation}
    sent ${JSON.stringify(tried.sent.slice(0, 300))}
    arrived ${JSON.stringify(arrived.slice(0, 300))}
    heard ${tried.heard.how} ${JSON.stringify(tried.heard.text.slice(0, 300))}`,
  );
}

function assertNone(violations: readonly string[]): void {
  assert.equal(violations.length, 0, `${violations.length}:\n${violations.join("\n")}`);
}

describe("of hostile requests nothing arrives, or one in one reading, and what follows is seen as itself", () => {
  const finished = REQUESTS.filter(({ unfinished }) => !unfinished);
  for (const [cut, cases] of [
    [whole, finished],
    [bytewise, finished.filter(({ bytes }) => bytes.length < 200)],
  ] as const)
    test(`${cut("GET").name}: ${cases.length} of them`, async () => {
      const all: Tried<Hostile>[] = [];
      await pooled(cases, AT_ONCE, async (hostile) => {
        const port = nextPort();
        const { name: how, pieces } = cut(hostile.bytes + MARKER);
        all.push({ hostile, how, port, sent: pieces.join(""), heard: await said(port, pieces) });
      });
      const arrived = await origin.arrived();
      const violations: string[] = [];
      for (const tried of all) {
        const { hostile, port, sent, heard } = tried;
        const there = arrived.get(port) ?? "";
        const verdict = await verdictOn({ sent, heard, arrived: there });
        violations.push(...report(verdict.violations, tried, there));
        if (!hostile.legal && verdict.passed > 0)
          violations.push(...report([`passed on: ${hostile.why}`], tried, there));
      }
      assertNone(violations);
    });
});

describe("a hostile response is refused or read in one way, and answers no other request", () => {
  /** What the origin is to say stands in the target, which has a limit. */
  const cases = RESPONSES.filter(({ bytes }) => bytes.length < 5_000);

  test(`in one piece: ${cases.length} of them`, async () => {
    const all: (Tried<HostileResponse> & { readonly ends: boolean })[] = [];
    await pooled(cases, AT_ONCE, async (hostile) => {
      const { bytes, to = "GET", webSocket, ends: endsAnyway } = hostile;
      const port = nextPort();
      const { rest } = readResponses(bytes, [to], false, "as_sent");
      const ends = endsAnyway ?? rest === "unfinished";
      const target = `/say${ends ? "-and-end" : ""}/${Buffer.from(bytes, "latin1").toString("hex")}`;
      const handshake = webSocket
        ? `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${WEB_SOCKET_KEY}\r\n`
        : "";
      const sent = `${to} ${target} HTTP/1.1\r\nHost: a.example\r\n${handshake}\r\n${MARKER}`;
      all.push({ hostile, how: "in one piece", port, sent, heard: await said(port, [sent]), ends });
    });
    const violations: string[] = [];
    for (const tried of all) {
      const { hostile, heard, ends } = tried;
      const { answer, violations: found } = await verdictOnReply({
        ...{ method: hostile.to ?? "GET", said: hostile.bytes, hasEnded: ends, heard },
        mark: "GET /marker with 0 bytes",
      });
      violations.push(...report(found, tried, hostile.bytes));
      if (!hostile.legal && answer && !isRefusal(answer))
        violations.push(...report([`passed on: ${hostile.why}`], tried, hostile.bytes));
    }
    assertNone(violations);
  });
});

describe("a first request that is too much or too late has its own refusal", () => {
  for (const [what, say, status] of [
    [
      "a head that is too long",
      `GET / HTTP/1.1\r\nHost: a.example\r\nX: ${"y".repeat(70_000)}\r\n\r\n`,
      431,
    ],
    ["a head without end", `GET / HTTP/1.1\r\nHost: a.example\r\nX: ${"y".repeat(100_000)}`, 431],
    ["too many fields", `GET / HTTP/1.1\r\nHost: a.example\r\n${"X: y\r\n".repeat(300)}\r\n`, 431],
    [
      "a target that is too long",
      `GET /${"a".repeat(17_000)} HTTP/1.1\r\nHost: a.example\r\n\r\n`,
      414,
    ],
    ["a head that stops", "GET / HTTP/1.1\r\nHost: a.exam", 408],
    ["CONNECT", "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n", 400],
    ["an Expect that is none", "GET / HTTP/1.1\r\nHost: a.example\r\nExpect: b\r\n\r\n", 417],
    ["no Host", "GET / HTTP/1.1\r\n\r\n", 400],
  ] as const)
    test(`${what}: ${status}`, async () => {
      const port = nextPort();
      const { text, how } = await said(port, [say]);
      const [answer, ...more] = readResponses(text, ["GET"], true, "as_forwarded").messages;
      assert.ok(answer && isRefusal(answer), JSON.stringify({ text, how }));
      assert.deepEqual([answer.status, how, more], [status, "end", []]);
      assert.equal((await origin.arrived()).get(port), undefined);
    });
});

test("HTTP/2 that was not agreed on is refused with a GOAWAY that asks for HTTP/1.1", async () => {
  const port = nextPort();
  // RFC 9113 §3.4, and an empty SETTINGS frame (§6.5).
  const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
  const { text } = await said(port, [preface]);
  const goaway = frames(Buffer.from(text, "latin1")).find(({ type }) => type === 7);
  // §6.8: the last stream, then the error; §7: HTTP_1_1_REQUIRED.
  assert.equal(goaway?.payload.readUInt32BE(4), 0x0d, JSON.stringify(text));
  assert.equal((await origin.arrived()).get(port), undefined);
});

/** RFC 9113 §4.1. */
function frames(bytes: Buffer): { readonly type: number; readonly payload: Buffer }[] {
  const found = [];
  for (let at = 0; at + 9 <= bytes.length; ) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    found.push({ type: bytes[at + 3] ?? -1, payload: bytes.subarray(at + 9, end) });
    at = end;
  }
  return found;
}

test("on one connection an allowed host is reached, and another is refused, whatever was allowed before", async () => {
  const port = nextPort();
  const get = (target: string, host: string) => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  const { text } = await said(port, [get("/1", "a.example") + get("/2", "c.example")]);
  const statuses = readResponses(text, ["GET", "GET"], true, "as_forwarded").messages;
  assert.deepEqual(
    statuses.map(({ status }) => status),
    [200, 403],
  );
  assert.equal((await origin.arrived()).get(port), get("/1", "a.example"));
  const records = await bed.recordsWhere(({ original_port }) => original_port === port, 2);
  assert.deepEqual(
    records.map(({ request, verdict, name }) => [request, verdict, name]),
    [
      [1, "allow", "a.example"],
      [2, "deny", "c.example"],
    ],
  );
});
