import assert from "node:assert/strict";
import { test } from "node:test";
import { answeredBy, arrived, asked, get, LAST, post } from "./asking.ts";
import { RelayBed } from "./bed.ts";
import { answerMarked, arrivedOn } from "./origin.ts";

/** Several requests on one connection of an app. */
test("pipelined requests arrive one by one, and are answered in their order", async (t) => {
  const bed = await RelayBed.open(t);
  const seen: string[] = [];
  bed.origin.answering = (request, socket, visit) => {
    seen.push(asked(bed).flat().join(", "));
    setTimeout(answerMarked, 5, request, socket, visit);
  };
  const app = await bed.connect();
  await app.say(get("/1") + post("/2", "GET /forged HTTP/1.1\r\n\r\n") + get("/3", LAST));
  const { text } = await app.ended();
  assert.deepEqual(answeredBy(text, 3), ["GET /1", "POST /2", "GET /3"]);
  assert.deepEqual(seen, ["GET /1", "GET /1, POST /2", "GET /1, POST /2, GET /3"]);
  assert.equal(bed.origin.visits.length, 1);
});

test("a thousand pipelined requests of many segments are answered in their order", async (t) => {
  const bed = await RelayBed.open(t);
  const app = await bed.connect();
  const targets = Array.from({ length: 1_000 }, (_, i) => `/${i}`);
  const text = targets.map((target) => post(target, "x".repeat(target.length * 7))).join("");
  for (let at = 0; at < text.length; at += 701) await app.say(text.slice(at, at + 701));
  await app.say(get("/last", LAST));
  const heard = await app.ended();
  const expected = [...targets.map((target) => `POST ${target}`), "GET /last"];
  assert.deepEqual(answeredBy(heard.text, 1_001), expected);
});

test("each request is judged, and a refused one is the last: what follows it is not heard", async (t) => {
  const bed = await RelayBed.open(t);
  const app = await bed.connect();
  const refused = get("/2").replace("a.example", "c.example");
  await app.say(get("/1") + refused + get("/3"));
  const { text, how } = await app.ended();
  assert.deepEqual(answeredBy(text, 3), ["GET /1", "403 denied.no_rule"]);
  assert.equal(how, "end");
  assert.deepEqual(asked(bed), [["GET /1"]]);
  const records = bed.records.map(({ connection, request, verdict, name, status }) => {
    return { connection, request, verdict, name, status };
  });
  assert.deepEqual(records, [
    { connection: 1, request: 1, verdict: "allow", name: "a.example", status: 200 },
    { connection: 1, request: 2, verdict: "deny", name: "c.example", status: 403 },
  ]);
});

test("a kept-alive connection goes to one allowed host and another, and is refused a third", async (t) => {
  const bed = await RelayBed.open(t);
  const app = await bed.connect();
  for (const [i, host] of ["a.example", "b.example", "c.example"].entries()) {
    await app.say(get(`/${i}`).replace("a.example", host));
    await app.hears((text) => answeredBy(text, 3).length > i);
  }
  const { text } = await app.ended();
  assert.deepEqual(answeredBy(text, 3), ["GET /0", "GET /1", "403 denied.no_rule"]);
  const hosts = arrived(bed).map((visit) => visit.map(({ host }) => host));
  assert.deepEqual(hosts, [["a.example", "b.example"]]);
});

test("a request goes to its own host's address, not to where the one before it went", async (t) => {
  const bed = await RelayBed.open(t);
  const app = await bed.connect();
  const hosts = ["a.example", "elsewhere.example", "b.example", "elsewhere.example"];
  await app.say(hosts.map((host, i) => get(`/${i}`).replace("a.example", host)).join(""));
  await app.say(get("/last", LAST));
  assert.equal(answeredBy((await app.ended()).text, 5).at(-1), "GET /last");
  for (const visit of bed.origin.visits)
    for (const { host } of arrivedOn(visit).messages)
      assert.equal(visit.address, host === "elsewhere.example" ? "127.0.0.2" : "127.0.0.1");
  assert.equal(asked(bed).flat().length, 5);
});

test("what cannot be read behind a sound request is refused, after that has its answer", async (t) => {
  const bed = await RelayBed.open(t);
  const app = await bed.connect();
  await app.say(`${get("/1")}GET /2 HTTP/1.1\r\nHost: a.example\r\nContent-Length: +1\r\n\r\n`);
  const { text } = await app.ended();
  assert.deepEqual(answeredBy(text, 2), ["GET /1", "400 denied.malformed"]);
  assert.deepEqual(asked(bed), [["GET /1"]]);
});

test("the answer that says it is the last is, whatever was pipelined behind", async (t) => {
  const bed = await RelayBed.open(t);
  bed.origin.answering = (_, socket) => {
    socket.end("HTTP/1.1 200 OK\r\nX-Saw: only\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  };
  const app = await bed.connect();
  await app.say(get("/1", LAST) + get("/2"));
  assert.deepEqual(answeredBy((await app.ended()).text, 2), ["only"]);
  assert.deepEqual(asked(bed), [["GET /1"]]);
});

test("an absolute form arrives as its path, and one that disagrees with Host does not", async (t) => {
  const bed = await RelayBed.open(t);
  const app = await bed.connect();
  const absolute = (target: string) => get("/").replace("/ ", `${target} `);
  await app.say(
    ...[absolute("http://a.example/1?b"), absolute("HTTP://A.EXAMPLE?c")],
    absolute("http://b.example/2"),
  );
  const { text } = await app.ended();
  assert.deepEqual(answeredBy(text, 3), ["GET /1?b", "GET /?c", "400 denied.malformed"]);
  assert.deepEqual(asked(bed), [["GET /1?b", "GET /?c"]]);
});
