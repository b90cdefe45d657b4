import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { answeredBy, get } from "./asking.ts";
import { RelayBed } from "./bed.ts";

/** A response that is cut off must not look complete to the app (RFC 9112 §8), be it cut off in good order or not. */
const ENDS: Readonly<Record<string, (socket: Socket) => void>> = {
  end: (socket) => socket.end(),
  reset: (socket) => socket.resetAndDestroy(),
};
const LENGTH = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

for (const [how, end] of Object.entries(ENDS)) {
  for (const [what, said] of [
    ["a length, before the body", LENGTH],
    ["a length, in the body", `${LENGTH}hell`],
    ["chunks, before the first", CHUNKED],
    ["chunks, in one", `${CHUNKED}9\r\nhell`],
    ["chunks, between two", `${CHUNKED}4\r\nhell\r\n`],
    ["chunks, before the last line", `${CHUNKED}4\r\nhell\r\n0\r\n`],
    ["chunks, in the trailers", `${CHUNKED}4\r\nhell\r\n0\r\nX: y\r\n`],
  ] as const)
    test(`a response of ${what}, cut off by a ${how}, ends in a reset`, async (t) => {
      const bed = await RelayBed.open(t);
      bed.origin.answering = (_, socket) => socket.write(said);
      const app = await bed.connect();
      await app.say(get("/1"));
      await app.hears((text) => text.includes("\r\n\r\n"));
      const [socket] = bed.origin.sockets;
      assert.ok(socket);
      end(socket);
      assert.equal((await app.ended()).how, "ECONNRESET");
    });

  for (const [what, said] of [
    ["before it", ""],
    ["in its head", "HTTP/1.1 200 OK\r\nX: y"],
    ["behind an interim one", "HTTP/1.1 100 Continue\r\n\r\n"],
  ] as const)
    test(`a response cut off ${what} by a ${how} is a 502`, async (t) => {
      const bed = await RelayBed.open(t);
      bed.origin.answering = (_, socket) => socket.write(said, () => end(socket));
      const app = await bed.connect();
      await app.say(get("/1"));
      const { text } = await app.ended();
      assert.match(answeredBy(text, 1)[0] ?? text, /^502 failed\.(response|reset)$/);
    });

  const isOrderly = how === "end";
  test(`a response that the connection's end completes ${isOrderly ? "ends with it" : "is cut off by a reset, and says so"}`, async (t) => {
    const bed = await RelayBed.open(t);
    bed.origin.answering = (_, socket) => socket.write("HTTP/1.1 200 OK\r\n\r\nhell");
    const app = await bed.connect();
    await app.say(get("/1"));
    await app.hears((text) => text.endsWith("hell"));
    const [socket] = bed.origin.sockets;
    assert.ok(socket);
    end(socket);
    assert.equal((await app.ended()).how, isOrderly ? "end" : "ECONNRESET");
  });
}
