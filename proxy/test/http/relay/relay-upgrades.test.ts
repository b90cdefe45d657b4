import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { WEB_SOCKET_ACCEPT, WEB_SOCKET_KEY } from "../corpus/responses.ts";
import { answeredBy, arrived, asked, get, LAST } from "./asking.ts";
import { RelayBed } from "./bed.ts";
import { answerMarked, type Visit } from "./origin.ts";

/** A tunnel, only after a real 101; before it everything is a request. */
const HANDSHAKE = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${WEB_SOCKET_KEY}\r\n`;
const switching = (accept: string) =>
  `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
const SWITCHED = switching(WEB_SOCKET_ACCEPT);

/** A bed whose origin holds the handshake back until it is told what to say. */
async function handshaking(t: TestContext) {
  const bed = await RelayBed.open(t);
  const asked = Promise.withResolvers<{ socket: Socket; visit: Visit }>();
  bed.origin.answering = (request, socket, visit) => {
    if (request.target === "/ws") asked.resolve({ socket, visit });
    else answerMarked(request, socket, visit);
  };
  const app = await bed.connect();
  return { bed, app, asked: asked.promise };
}

test("what an app says before the 101 is held until it comes, and then goes through untouched", async (t) => {
  const { bed, app, asked } = await handshaking(t);
  await app.say(get("/ws", HANDSHAKE), "\0early", "\r\n\r\nbytes");
  const { socket, visit } = await asked;
  assert.match(visit.bytes.toString("latin1"), /13\r\nSec-WebSocket-Key: [^\r]*\r\n\r\n$/);
  const came = new Promise<void>((resolve) => {
    bed.origin.onBytes = ({ bytes }) =>
      bytes.toString("latin1").endsWith("\r\n\r\nbytes") && resolve();
  });
  socket.write(`${SWITCHED}\0hello`);
  await came;
  assert.match(visit.bytes.toString("latin1"), /\r\n\r\n\0early\r\n\r\nbytes$/);
  assert.ok(await app.hears((text) => text.endsWith("\r\n\r\n\0hello")));
  app.socket.end();
  const { text, how } = await app.ended();
  assert.match(text, /^HTTP\/1\.1 101 [^\0]*\r\n\r\n\0hello$/);
  assert.equal(how, "end");
});

for (const [what, answer] of [
  ["a wrong accept value", switching("AAAAAAAAAAAAAAAAAAAAAAAAAAA=")],
  ["no accept value", switching("").replace(/Sec-WebSocket-Accept[^\n]*\n/, "")],
  ["another protocol", SWITCHED.replace("websocket", "h2c")],
] as const)
  test(`a 101 with ${what} is refused, and what was said ahead goes nowhere`, async (t) => {
    const { bed, app, asked } = await handshaking(t);
    await app.say(get("/ws", HANDSHAKE) + get("/smuggled"));
    const { socket, visit } = await asked;
    socket.write(answer);
    const { text } = await app.ended();
    assert.deepEqual(answeredBy(text, 2), ["502 failed.response"]);
    assert.deepEqual(arrived(bed).flat().length, 1);
    assert.doesNotMatch(visit.bytes.toString("latin1"), /smuggled/);
  });

test("a 101 that nobody asked for is refused", async (t) => {
  const bed = await RelayBed.open(t);
  bed.origin.answering = (_, socket) => socket.write(SWITCHED);
  const app = await bed.connect();
  await app.say(get("/1") + get("/2"));
  assert.deepEqual(answeredBy((await app.ended()).text, 2), ["502 failed.response"]);
  assert.deepEqual(asked(bed), [["GET /1"]]);
});

for (const [what, fields] of [
  ["without a key", HANDSHAKE.replace(/Sec-WebSocket-Key[^\n]*\n/, "")],
  ["with a key that is none", HANDSHAKE.replace(WEB_SOCKET_KEY, "a")],
  ["of another version", HANDSHAKE.replace(": 13", ": 8")],
  ["without Connection: upgrade", HANDSHAKE.replace(/Connection[^\n]*\n/, "")],
  ["to two protocols", HANDSHAKE.replace("websocket", "websocket, h2c")],
] as const)
  test(`a handshake ${what} is a request like any other: no upgrade is asked for, and no 101 taken`, async (t) => {
    const bed = await RelayBed.open(t);
    bed.origin.answering = (_, socket) => socket.write(SWITCHED);
    const app = await bed.connect();
    await app.say(get("/1", fields));
    assert.deepEqual(answeredBy((await app.ended()).text, 1), ["502 failed.response"]);
    const names = arrived(bed)[0]?.[0]?.fields.map(([name]) => name) ?? [];
    assert.ok(!names.includes("upgrade") && !names.includes("connection"), names.join());
  });

test("a handshake that is answered like any request is one: what follows it is judged and answered", async (t) => {
  const bed = await RelayBed.open(t);
  const app = await bed.connect();
  const refused = get("/3").replace("a.example", "c.example");
  await app.say(get("/1", HANDSHAKE) + get("/2") + refused);
  const { text } = await app.ended();
  assert.deepEqual(answeredBy(text, 3), ["GET /1", "GET /2", "403 denied.no_rule"]);
  assert.deepEqual(asked(bed), [["GET /1", "GET /2"]]);
});

test("a tunnel that breaks breaks for the other side too, and its connection serves nobody else", async (t) => {
  const { bed, app, asked } = await handshaking(t);
  await app.say(get("/ws", HANDSHAKE));
  const { socket } = await asked;
  socket.write(SWITCHED);
  await app.hears((text) => text.endsWith("\r\n\r\n"));
  socket.resetAndDestroy();
  assert.equal((await app.ended()).how, "ECONNRESET");
  assert.equal(bed.idleUpstreams, 0);
  const other = await bed.connect();
  await other.say(get("/2", LAST));
  assert.deepEqual(answeredBy((await other.ended()).text, 1), ["GET /2"]);
});
