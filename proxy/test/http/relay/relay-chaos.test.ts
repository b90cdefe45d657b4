import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import type { Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { App } from "./app.ts";
import { get, LAST, post } from "./asking.ts";
import { ChangingBed } from "./changing-bed.ts";
import { answerMarked } from "./origin.ts";

const HANDSHAKE = [
  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
].join("");
const SWITCHES = [
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
].join("");
const CHUNKED = "Host: a.example\r\nTransfer-Encoding: chunked\r\n";

const ASKED = [
  ...[get("/1"), get("/2"), get("/3", LAST), post("/4", "body"), post("/5", "b".repeat(90_000))],
  ...[get("/ws", HANDSHAKE), get("/6").repeat(3), "GET / HTTP/1.1\r\nHost : a.example\r\n\r\n"],
  `POST /7 HTTP/1.1\r\n${CHUNKED}\r\n5\r\nhello\r\nZZ`,
  "POST /8 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
];
const HOSTS = ["a.example", "a.example", "a.example", "late.example", "refused.example"];
const POLICIES = [["a.example", "late.example"], ["a.example", "late.example"], ["a.example"], []];

const ANSWERED: readonly ((socket: Socket) => unknown)[] = [
  (socket) => socket.end(),
  (socket) => socket.resetAndDestroy(),
  (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n"),
  (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell"),
  (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell"),
  (socket) => socket.end("HTTP/1.1 200 OK\r\n\r\nuntil the end"),
  (socket) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n${"z".repeat(4e5)}`),
  (socket) => socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nsurplus"),
  () => {},
];

/** Mulberry32: what went wrong can be had again. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const CONNECTIONS = 300;

test("whatever apps, origins, names and policies do, each request has one record, each connection its end, and nothing stays open", async (t) => {
  const roll = dice(20_251_121);
  const oneOf = <T>(list: readonly T[]): T => list[Math.floor(roll() * list.length)] as T;
  const bed = await ChangingBed.open(t, {
    http: { exchangeTimeoutMs: 600, idleTimeoutMs: 400, idleUpstreamTimeoutMs: 300 },
    waits: { unfinishedMs: 300 },
  });
  const descriptors = () => readdirSync("/proc/self/fd").length;
  const before = descriptors();
  bed.resolve = async () => {
    await sleep(roll() * 30);
    return roll() < 0.9 ? ["127.0.0.1"] : [];
  };
  bed.origin.answering = async (request, socket, visit) => {
    if (roll() < 0.4) await sleep(roll() * 50);
    if (socket.destroyed) return;
    if (roll() < 0.3) oneOf(ANSWERED)(socket);
    else if (request.target === "/ws") socket.write(SWITCHES);
    else answerMarked(request, socket, visit);
  };
  const live = async (app: App) => {
    for (let left = 1 + Math.floor(roll() * 4); left > 0 && app.how === undefined; left--) {
      const text = oneOf(ASKED).replaceAll("a.example", oneOf(HOSTS));
      await app.say(roll() < 0.9 ? text : text.slice(0, Math.floor(roll() * text.length)));
      if (roll() < 0.05) app.socket.pause();
      await sleep(roll() * 60);
    }
    if (roll() < 0.3) app.socket.resetAndDestroy();
    else if (roll() < 0.5) {
      app.socket.end();
      await Promise.race([app.over, sleep(900, undefined, { ref: false })]);
    }
    app.close();
  };

  let isOver = false;
  const changing = (async () => {
    while (!isOver) {
      bed.permit(...oneOf(POLICIES));
      await bed.reconsider();
      await sleep(20 + roll() * 60);
    }
  })();
  let begun = 0;
  const worker = async () => {
    while (begun++ < CONNECTIONS) await live(await bed.dial());
  };
  await Promise.all(Array.from({ length: 20 }, worker));
  isOver = true;
  await changing;
  for (let i = 0; i < 3_000 && (bed.finished < CONNECTIONS || bed.idleUpstreams > 0); i++)
    await sleep(10);
  for (let i = 0; i < 3_000 && bed.origin.sockets.size > 0; i++) await sleep(10);

  assert.deepEqual(bed.mistakes, []);
  assert.deepEqual([bed.finished, bed.idleUpstreams], [CONNECTIONS, 0]);
  assert.equal(bed.origin.sockets.size, 0);
  assert.ok(descriptors() <= before + 2, `${before} → ${descriptors()}`);
  for (const { number, http } of bed.connections) {
    const recorded = bed.records.filter(({ connection }) => connection === number);
    const numbers = Array.from({ length: http?.requests ?? 0 }, (_, i) => i + 1);
    assert.deepEqual(
      recorded.map(({ request }) => request),
      numbers,
    );
  }
  const reasons = new Set(bed.records.map(({ reason }) => reason));
  for (const reason of ["allowed.rule", "denied.no_rule", "denied.malformed", "revoked"] as const)
    assert.ok(reasons.has(reason), `${reason} has not been met`);
  assert.ok(bed.records.some(({ status }) => status === 101));
});
