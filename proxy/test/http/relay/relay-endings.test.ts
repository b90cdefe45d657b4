import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { answeredBy, answers, asked, get, LAST, post } from "./asking.ts";
import { RelayBed } from "./bed.ts";
import { answerMarked } from "./origin.ts";

/** Requests and connections that end in another way than by an answer to everything. */
async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 4_000 && !holds(); i++) await sleep(5);
  assert.ok(holds());
}

test("an app that is slow to read its last response gets all of it", async (t) => {
  const bed = await RelayBed.open(t);
  const body = Buffer.alloc(12 * 1_048_576, "x");
  bed.origin.answering = (_, socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
    socket.write(body);
  };
  const app = await bed.connect();
  app.socket.pause();
  app.socket.write(get("/1", LAST));
  // Longer than an answer of our own is waited for.
  await sleep(3_000);
  app.socket.resume();
  const { text, how } = await app.ended();
  assert.deepEqual([text.length > body.length, how], [true, "end"]);
});

test("an app that asks on and on without reading is answered as far as it has room, and all of it in the end", async (t) => {
  const bed = await RelayBed.open(t);
  const body = "y".repeat(500_000);
  bed.origin.answering = (_, socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  };
  const app = await bed.connect();
  app.socket.pause();
  app.socket.write(get("/1").repeat(199) + get("/1", LAST));
  await sleep(500);
  assert.ok(bed.records.length < 100, `${bed.records.length} of 200 answered`);
  app.socket.resume();
  const { text, how } = await app.ended();
  assert.deepEqual([text.split("HTTP/1.1 200").length - 1, how], [200, "end"]);
});

test("a kept connection whose next answer cannot be read is not asked again", async (t) => {
  const bed = await RelayBed.open(t);
  let count = 0;
  bed.origin.answering = (request, socket, visit) => {
    if (++count === 1) answerMarked(request, socket, visit);
    else socket.write("HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx");
  };
  const app = await bed.connect();
  await app.say(get("/1"));
  await app.hears((text) => answers(text, ["GET"]).length === 1);
  await app.say(get("/2"));
  const { text } = await app.ended();
  assert.deepEqual(answeredBy(text, ["GET", "GET"]), ["GET /1", "502 failed.response"]);
  assert.deepEqual(asked(bed), [["GET /1", "GET /2"]]);
});

test("an app that has had its answer and keeps the rest of its request is recorded as answered", async (t) => {
  const bed = await RelayBed.open(t);
  bed.origin.onBytes = (_, socket) => {
    bed.origin.onBytes = () => {};
    socket.write("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno");
  };
  const app = await bed.connect();
  await app.say(post("/1", "hello", "Expect: 100-continue\r\n").slice(0, -5));
  await app.hears((text) => text.endsWith("no"));
  app.socket.end();
  const { how } = await app.ended();
  assert.equal(how, "end");
  await until(() => bed.records.length === 1);
  const [record] = bed.records;
  assert.deepEqual([record?.status, record?.closed_by, record?.closed_how], [401, "app", "end"]);
});

test("an app that has asked ahead and goes takes its request with it", async (t) => {
  const bed = await RelayBed.open(t);
  bed.origin.answering = () => {};
  const app = await bed.connect();
  await app.say(get("/1"));
  await until(() => bed.origin.visits.length === 1);
  await app.say(get("/2"));
  await sleep(30);
  app.socket.resetAndDestroy();
  await until(() => bed.records.length === 1);
  const [record] = bed.records;
  assert.deepEqual([record?.closed_by, record?.closed_how], ["app", "reset"]);
});

test("where none is to be kept no idle upstream is", async (t) => {
  const bed = await RelayBed.open(t, { http: { idleUpstreamsEach: 0 } });
  for (const target of ["/1", "/2"]) {
    const app = await bed.connect();
    await app.say(get(target, LAST));
    await app.ended();
  }
  assert.deepEqual(asked(bed), [["GET /1"], ["GET /2"]]);
});

test("a body that cannot be read is recorded as refused, with what is wrong with it", async (t) => {
  const bed = await RelayBed.open(t);
  const app = await bed.connect();
  await app.say(
    "POST /1 HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n-1\r\n",
  );
  const { text } = await app.ended();
  assert.match(text, /^HTTP\/1\.1 400 /);
  await until(() => bed.records.length === 1);
  const [{ verdict, reason, closed_by, closed_how, error } = assert.fail()] = bed.records;
  assert.deepEqual(
    [verdict, reason, closed_by, closed_how],
    ["deny", "denied.malformed", "sidecar", "refused"],
  );
  assert.match(error ?? "", /chunk/);
});
