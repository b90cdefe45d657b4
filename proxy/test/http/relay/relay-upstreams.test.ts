import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { turn } from "./app.ts";
import { answeredBy, answers, asked, get, LAST, post } from "./asking.ts";
import { RelayBed } from "./bed.ts";
import { answerMarked, marked } from "./origin.ts";

/** Connections to the origin: kept, handed on, and asked again where one had gone. */
async function one(bed: RelayBed, said: string) {
  const app = await bed.connect();
  await app.say(said);
  const heard = await app.ended();
  app.close();
  return heard;
}

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 100_000 && !holds(); i++) await turn();
  assert.ok(holds());
}

test("an app's requests go over one connection, which then serves the next app", async (t) => {
  const bed = await RelayBed.open(t);
  await one(bed, get("/1") + get("/2", LAST));
  await one(bed, get("/3", LAST));
  assert.deepEqual(asked(bed), [["GET /1", "GET /2", "GET /3"]]);
});

test("what an origin says while nobody asks answers nobody: neither the same app nor the next", async (t) => {
  const forged = "HTTP/1.1 200 OK\r\nX-Saw: forged\r\nContent-Length: 0\r\n\r\n";
  const bed = await RelayBed.open(t);
  let origin: Socket | undefined;
  bed.origin.answering = (request, socket, visit) => {
    origin = socket;
    answerMarked(request, socket, visit);
  };
  const app = await bed.connect();
  await app.say(get("/1"));
  await app.hears((text) => answers(text, 1).length === 1);
  origin?.write(forged);
  const { text, how } = await app.ended();
  assert.deepEqual([answeredBy(text, 2), how], [["GET /1"], "end"]);
  app.close();
  await one(bed, get("/2", LAST));
  await until(() => bed.idleUpstreams === 1);
  origin?.write(forged);
  await until(() => bed.idleUpstreams === 0);
  assert.deepEqual(answeredBy((await one(bed, get("/3", LAST))).text, 1), ["GET /3"]);
  assert.deepEqual(asked(bed), [["GET /1"], ["GET /2"], ["GET /3"]]);
});

test("an origin that says more than its answer is not asked again on that connection", async (t) => {
  const bed = await RelayBed.open(t);
  bed.origin.answering = (request, socket) => socket.write(`${marked(request)}X`);
  const { text } = await one(bed, get("/1") + get("/2") + get("/3", LAST));
  assert.deepEqual(answeredBy(text, 3), ["GET /1", "GET /2", "GET /3"]);
  await one(bed, get("/4", LAST));
  assert.deepEqual(asked(bed), [["GET /1"], ["GET /2"], ["GET /3"], ["GET /4"]]);
});

test("where an idle origin ends its connection the app's ends too, in good order", async (t) => {
  const bed = await RelayBed.open(t);
  bed.origin.answering = (request, socket, visit) => {
    answerMarked(request, socket, visit);
    setTimeout(() => socket.end(), 20);
  };
  const app = await bed.connect();
  await app.say(get("/1"));
  const { text, how } = await app.ended();
  assert.deepEqual([answeredBy(text, 1), how], [["GET /1"], "end"]);
});

/** Its first connection answers once; whatever else is asked there is met by its end. */
async function fickle(t: Parameters<typeof RelayBed.open>[0], how: "end" | "reset" | "begins") {
  const bed = await RelayBed.open(t);
  let answered = 0;
  bed.origin.answering = (request, socket, visit) => {
    if (visit !== bed.origin.visits[0] || answered++ === 0) answerMarked(request, socket, visit);
    else if (how === "reset") socket.resetAndDestroy();
    else socket.end(how === "begins" ? "HTTP/1.1 200 OK\r\n" : "");
  };
  return bed;
}

for (const how of ["end", "reset"] as const) {
  test(`a GET on a kept connection that meets its ${how} is asked again on a new one, for the next app`, async (t) => {
    const bed = await fickle(t, how);
    await one(bed, get("/1", LAST));
    assert.deepEqual(answeredBy((await one(bed, get("/2", LAST))).text, 1), ["GET /2"]);
    assert.deepEqual(asked(bed), [["GET /1", "GET /2"], ["GET /2"]]);
  });

  test(`a GET that meets the ${how} of its app's own connection is asked again too`, async (t) => {
    const bed = await fickle(t, how);
    const { text } = await one(bed, get("/1") + get("/2") + get("/3", LAST));
    assert.deepEqual(answeredBy(text, 3), ["GET /1", "GET /2", "GET /3"]);
    assert.deepEqual(asked(bed), [
      ["GET /1", "GET /2"],
      ["GET /2", "GET /3"],
    ]);
  });

  test(`a POST that meets the ${how} of its app's own connection is never asked again: 502`, async (t) => {
    const bed = await fickle(t, how);
    const { text } = await one(bed, get("/1") + post("/2", "hello"));
    const [first, second] = answeredBy(text, ["GET", "POST"]);
    assert.equal(first, "GET /1");
    assert.match(second ?? "", /^502 failed\./);
    assert.deepEqual(asked(bed), [["GET /1", "POST /2"]]);
  });
}

test("a GET whose answer has begun is not asked again: 502", async (t) => {
  const bed = await fickle(t, "begins");
  const { text } = await one(bed, get("/1") + get("/2", LAST));
  assert.deepEqual(answeredBy(text, 2), ["GET /1", "502 failed.response"]);
  assert.deepEqual(asked(bed), [["GET /1", "GET /2"]]);
});

test("a GET on a new connection that ends without an answer is not asked again: 502", async (t) => {
  const bed = await RelayBed.open(t);
  bed.origin.answering = (_, socket) => socket.end();
  assert.deepEqual(answeredBy((await one(bed, get("/1"))).text, 1), ["502 failed.response"]);
  assert.deepEqual(asked(bed), [["GET /1"]]);
});

test("a POST is not sent on a connection that another app has left behind", async (t) => {
  const bed = await RelayBed.open(t);
  await one(bed, get("/1", LAST));
  await one(bed, post("/2", "hello", LAST));
  assert.deepEqual(asked(bed), [["GET /1"], ["POST /2"]]);
});

for (const [what, request, answer] of [
  ["asks with Negotiate", get("/1", `Authorization: Negotiate abc\r\n${LAST}`), ""],
  ["is asked for NTLM", get("/1", LAST), "WWW-Authenticate: NTLM\r\n"],
] as const)
  test(`a connection over which an app ${what} is not handed on: it is authenticated`, async (t) => {
    const bed = await RelayBed.open(t);
    bed.origin.answering = (_, socket) =>
      socket.write(`HTTP/1.1 200 OK\r\n${answer}Content-Length: 0\r\n\r\n`);
    await one(bed, request);
    await one(bed, get("/2", LAST));
    assert.deepEqual(asked(bed), [["GET /1"], ["GET /2"]]);
  });

test("an app that goes away in the middle of its request or its answer leaves no connection behind", async (t) => {
  const bed = await RelayBed.open(t);
  bed.origin.answering = (_, socket) => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell");
  };
  const heard = await bed.connect();
  await heard.say(get("/1"));
  await heard.hears((text) => text.endsWith("hell"));
  heard.socket.resetAndDestroy();
  const saying = await bed.connect();
  await saying.say(post("/2", "hello").slice(0, -2));
  await until(() => bed.origin.visits.length === 2);
  saying.close();
  await until(() => bed.origin.visits.every(({ how }) => how !== undefined));
  assert.equal(bed.idleUpstreams, 0);
});
