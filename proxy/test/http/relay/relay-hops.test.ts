import assert from "node:assert/strict";
import { test } from "node:test";
import { answers, arrived, fieldNames, get, LAST } from "./asking.ts";
import { RelayBed } from "./bed.ts";

/** What is for one hop alone (RFC 9110 §7.6.1), and what is for everybody. */
async function arrivedOf(t: Parameters<typeof RelayBed.open>[0], fields: string) {
  const bed = await RelayBed.open(t);
  const app = await bed.connect();
  await app.say(get("/1", fields), get("/2", LAST));
  const { text } = await app.ended();
  return { request: arrived(bed)[0]?.[0], answered: answers(text, 2) };
}

test("what the app names in Connection does not go on, nor what is known to be for its hop", async (t) => {
  const { request } = await arrivedOf(
    t,
    "Connection: X-One, x-two\r\nX-One: 1\r\nX-ONE: 1\r\nConnection: keep-alive\r\nX-Two: 2\r\nX-Three: 3\r\n" +
      "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic YTpi\r\n" +
      "TE: gzip\r\nTraceparent: 00-1-1-01\r\n",
  );
  assert.deepEqual(fieldNames(request?.fields ?? []), ["host", "x-three", "traceparent"]);
});

test("that the app takes trailers is passed on, as our own word", async (t) => {
  const { request } = await arrivedOf(t, "Connection: TE\r\nTE: gzip, trailers\r\n");
  assert.deepEqual(request?.fields, [
    ["host", "a.example"],
    ["connection", "te"],
    ["te", "trailers"],
  ]);
});

test("an upgrade to h2c is no more than a request of HTTP/1.1", async (t) => {
  const { request, answered } = await arrivedOf(
    t,
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
  );
  assert.deepEqual(request?.fields, [["host", "a.example"]]);
  assert.deepEqual(
    answered.map(({ status }) => status),
    [200, 200],
  );
});

test("what an origin says of its own hop does not reach the app, and nobody speaks in our name", async (t) => {
  const bed = await RelayBed.open(t);
  bed.origin.answering = (_, socket) =>
    socket.write(
      "HTTP/1.1 200 OK\r\nConnection: X-One, keep-alive\r\nX-One: 1\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\n" +
        "Proxy-Authenticate: Basic\r\nX-Sallyport-Reason: allowed.rule\r\nX-SALLYPORT-X: y\r\nX-Two: 2\r\nContent-Length: 0\r\n\r\n",
    );
  const app = await bed.connect();
  await app.say(get("/1"));
  await app.hears((text) => answers(text, 1).length === 1);
  app.close();
  const [answer] = answers(app.text, 1);
  const names = fieldNames(answer?.fields ?? []).filter((name) => name !== "keep-alive");
  assert.deepEqual(names, ["x-two", "content-length"]);
});
