import assert from "node:assert/strict";
import { test } from "node:test";
import { answeredBy, answers, arrived, asked, get, LAST, post } from "./asking.ts";
import { RelayBed } from "./bed.ts";
import { answerMarked } from "./origin.ts";

/** Messages whose end is not where one might look for it. */
for (const [method, head, what] of [
  ["HEAD", "200 OK\r\nContent-Length: 44", "an answer to HEAD, whatever length it tells of"],
  ["HEAD", "200 OK\r\nTransfer-Encoding: chunked", "an answer to HEAD that would be chunked"],
  ["GET", "204 No Content", "a 204"],
  ["GET", "304 Not Modified\r\nContent-Length: 44", "a 304, whatever length it tells of"],
  ["GET", "200 OK\r\nContent-Length: 0", "a length of 0"],
] as const)
  test(`behind ${what} the next request has its own answer`, async (t) => {
    const bed = await RelayBed.open(t);
    bed.origin.answering = (request, socket, visit) => {
      if (request.target === "/2") answerMarked(request, socket, visit);
      else socket.write(`HTTP/1.1 ${head}\r\nX-Saw: first\r\n\r\n`);
    };
    const app = await bed.connect();
    await app.say(get("/1").replace("GET", method) + get("/2", LAST));
    const { text } = await app.ended();
    assert.deepEqual(answeredBy(text, [method, "GET"]), ["first", "GET /2"]);
    assert.equal(bed.origin.visits.length, 1);
  });

test("interim responses are passed on, in their order, before the final one", async (t) => {
  const bed = await RelayBed.open(t);
  bed.origin.answering = (request, socket, visit) => {
    socket.write("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    answerMarked(request, socket, visit);
  };
  const app = await bed.connect();
  await app.say(get("/1"), get("/2", LAST));
  const { text } = await app.ended();
  assert.deepEqual(
    answers(text, 2).map(({ status, interim }) => [...interim, status]),
    [
      [102, 103, 200],
      [102, 103, 200],
    ],
  );
});

test("more interim responses than anybody needs are no answer", async (t) => {
  const bed = await RelayBed.open(t);
  bed.origin.answering = (_, socket) =>
    socket.write("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1_000));
  const app = await bed.connect();
  await app.say(get("/1"));
  const { text } = await app.ended();
  assert.match(text, /HTTP\/1\.1 502 [^\0]*x-sallyport-reason: failed\.response/);
});

const TRAILERS = "5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-Sum: 2\r\n\r\n";

test("trailers are passed on, both ways", async (t) => {
  const bed = await RelayBed.open(t);
  bed.origin.answering = (request, socket, visit) => {
    if (request.target === "/2") answerMarked(request, socket, visit);
    else socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${TRAILERS}`);
  };
  const app = await bed.connect();
  const upload = get("/1", "Transfer-Encoding: chunked\r\n").replace("GET", "POST");
  await app.say(upload + TRAILERS + get("/2", LAST));
  const { text } = await app.ended();
  const sums = [
    ["x-sum", "1"],
    ["x-sum", "2"],
  ];
  assert.deepEqual(arrived(bed)[0]?.[0]?.trailers, sums);
  assert.deepEqual(answers(text, ["POST", "GET"])[0]?.trailers, sums);
  assert.deepEqual(asked(bed), [["POST /1", "GET /2"]]);
});

test("an early answer reaches the app while it still sends, and its body is not taken for a request", async (t) => {
  const bed = await RelayBed.open(t);
  const early = Promise.withResolvers<void>();
  bed.origin.onBytes = (visit, socket) => {
    if (visit.bytes.length > 5_000 && visit.bytes.length < 90_000) {
      bed.origin.onBytes = () => {};
      socket.write("HTTP/1.1 200 OK\r\nX-Saw: early\r\nContent-Length: 5\r\n\r\nhello");
      early.resolve();
    }
  };
  bed.origin.answering = (request, socket, visit) => {
    if (request.target === "/2") answerMarked(request, socket, visit);
  };
  const body = get("/forged").repeat(3_000);
  const app = await bed.connect();
  const upload = post("/1", body);
  await app.say(upload.slice(0, 50_000));
  await early.promise;
  await app.hears((text) => answers(text, ["POST"]).length === 1);
  await app.say(upload.slice(50_000), get("/2", LAST));
  const { text } = await app.ended();
  const [first, second] = answeredBy(text, ["POST", "GET"]);
  assert.equal(first, "early");
  // It may be the last; and if it is not, all of the body has been passed on.
  assert.ok(second === undefined || second === "GET /2", `the second: ${second}`);
  assert.ok(!asked(bed).flat().includes("GET /forged"));
  if (second) assert.equal(arrived(bed)[0]?.[0]?.body, body);
});

test("an early answer that is the last ends the app's connection, and nothing that it still sends is heard", async (t) => {
  const bed = await RelayBed.open(t);
  bed.origin.onBytes = (_, socket) => {
    bed.origin.onBytes = () => {};
    socket.end(
      "HTTP/1.1 413 Content Too Large\r\nX-Saw: no\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno",
    );
  };
  const app = await bed.connect();
  const upload = post("/1", get("/forged").repeat(3_000));
  await app.say(upload.slice(0, 20_000));
  await app.hears((text) => answers(text, ["POST"]).length === 1);
  await app.say(upload.slice(20_000), get("/2"));
  const { text, how } = await app.ended();
  assert.deepEqual([answeredBy(text, ["POST", "GET"]), how], [["no"], "end"]);
  assert.deepEqual(asked(bed), [[]]);
});

test("with Expect the body is sent after the origin's 100, which the app hears", async (t) => {
  const bed = await RelayBed.open(t);
  bed.origin.onBytes = ({ bytes }, socket) => {
    if (bytes.toString("latin1").endsWith("\r\n\r\n"))
      socket.write("HTTP/1.1 100 Continue\r\n\r\n");
  };
  const app = await bed.connect();
  const upload = post("/1", "hello", "Expect: 100-continue\r\n");
  await app.say(upload.slice(0, -5));
  assert.ok(await app.hears((text) => text === "HTTP/1.1 100 Continue\r\n\r\n"));
  await app.say(`hello${get("/2", LAST)}`);
  const { text } = await app.ended();
  assert.deepEqual(answeredBy(text, ["POST", "GET"]), ["POST /1", "GET /2"]);
});

/**
 * RFC 9110 §10.1.1 leaves both: the body may follow a final answer, or not. An origin that takes it for the next request
 * ("HTTP/1.1 must die", Kettle, 2025) answers one that was never asked.
 */
for (const [how, fields] of [
  ["with Expect", "Expect: 100-continue\r\n"],
  ["without", ""],
] as const)
  test(`${how}, an origin that answers before the body, and takes it for a request, answers no other with it`, async (t) => {
    const bed = await RelayBed.open(t);
    bed.origin.onBytes = (_, socket) => {
      bed.origin.onBytes = () => {};
      socket.write("HTTP/1.1 401 Unauthorized\r\nX-Saw: no\r\nContent-Length: 0\r\n\r\n");
    };
    bed.origin.answering = (request, socket, visit) => {
      const smuggled = { ...request, method: "GET", target: "/forged" };
      answerMarked(request.method === "POST" ? smuggled : request, socket, visit);
    };
    const app = await bed.connect();
    const body = get("/forged");
    await app.say(post("/1", body, fields).slice(0, -body.length));
    await app.hears((text) => answers(text, ["POST"]).length === 1);
    await app.say(body + get("/2", LAST));
    const { text } = await app.ended();
    const [first, second] = answeredBy(text, ["POST", "GET"]);
    assert.equal(first, "no");
    assert.ok(second === undefined || second === "GET /2", `the second: ${second}`);
  });

test("an Expect that is none is refused with 417", async (t) => {
  const bed = await RelayBed.open(t);
  const app = await bed.connect();
  await app.say(post("/1", "hello", "Expect: 200-ok\r\n"));
  const { text } = await app.ended();
  assert.match(text, /^HTTP\/1\.1 417 /);
  assert.equal(bed.origin.visits.length, 0);
});
