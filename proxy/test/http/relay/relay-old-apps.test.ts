import assert from "node:assert/strict";
import { test } from "node:test";
import { arrived, asked } from "./asking.ts";
import { RelayBed } from "./bed.ts";

/** What HTTP/1.0 has not: chunks, trailers, interim responses, and connections that go on by themselves. */
const request = (fields = "") => `GET /1 HTTP/1.0\r\nHost: a.example\r\n${fields}\r\n`;

test("an HTTP/1.0 app is asked for in HTTP/1.1, and hears a chunked body without its chunks, to the end", async (t) => {
  const bed = await RelayBed.open(t);
  bed.origin.answering = (_, socket) =>
    socket.write(
      "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" +
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n" +
        "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n",
    );
  const app = await bed.connect();
  await app.say(request());
  assert.deepEqual(await app.ended(), {
    text: "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello world",
    how: "end",
  });
  assert.deepEqual(asked(bed), [["GET /1"]]);
  assert.equal(arrived(bed)[0]?.[0]?.minor, 1);
});

test("a chunked body that is cut off is cut off for an HTTP/1.0 app, and does not end in good order", async (t) => {
  const bed = await RelayBed.open(t);
  bed.origin.answering = (_, socket) =>
    socket.end("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  const app = await bed.connect();
  await app.say(request());
  assert.equal((await app.ended()).how, "ECONNRESET");
});

test("an Expect of HTTP/1.0 does not go on: it is to be ignored", async (t) => {
  const bed = await RelayBed.open(t);
  const app = await bed.connect();
  await app.say(request("Expect: 100-continue\r\nContent-Length: 5\r\n"), "hello");
  await app.ended();
  assert.deepEqual(arrived(bed)[0]?.[0]?.fields, [
    ["host", "a.example"],
    ["content-length", "5"],
  ]);
});

test("an HTTP/1.0 app that would go on is told that its connection ends", async (t) => {
  const bed = await RelayBed.open(t);
  const app = await bed.connect();
  await app.say(request("Connection: keep-alive\r\n") + request());
  const { text, how } = await app.ended();
  assert.match(
    text,
    /^HTTP\/1\.1 200 OK\r\nX-Saw: GET \/1 [^\0]*\r\nconnection: close\r\n\r\n[^\r]*$/,
  );
  assert.equal(how, "end");
  assert.deepEqual(asked(bed), [["GET /1"]]);
});

test("an HTTP/1.0 server answers an HTTP/1.1 app in HTTP/1.1, to the end of the connection", async (t) => {
  const bed = await RelayBed.open(t);
  bed.origin.answering = (_, socket) => socket.end("HTTP/1.0 200 OK\r\n\r\nhello");
  const app = await bed.connect();
  await app.say(request().replace("1.0", "1.1"));
  assert.deepEqual(await app.ended(), {
    text: "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello",
    how: "end",
  });
});
