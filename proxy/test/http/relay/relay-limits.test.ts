import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { answeredBy, answers, asked, get, LAST } from "./asking.ts";
import { RelayBed } from "./bed.ts";
import { answerMarked } from "./origin.ts";

/** What is too long, too much or too late has a refusal of its own. */
const many = (count: number) => Array.from({ length: count }, (_, i) => `X-${i}: y\r\n`).join("");

for (const [what, said, status] of [
  ["a head that is too long", get("/1", `X: ${"y".repeat(70_000)}\r\n`), "431 denied.too_large"],
  [
    "a head without end",
    get("/1", `X: ${"y".repeat(100_000)}`).slice(0, -4),
    "431 denied.too_large",
  ],
  ["too many fields", get("/1", many(257)), "431 denied.too_large"],
  ["a target that is too long", get(`/${"a".repeat(17_000)}`), "414 denied.too_large"],
] as const)
  for (const behind of ["first", "second"] as const)
    test(`${what}, of the ${behind} request on a connection, is refused with ${status.slice(0, 3)}`, async (t) => {
      const bed = await RelayBed.open(t);
      const app = await bed.connect();
      const before = behind === "first" ? [] : [get("/0")];
      await app.say([...before, said].join(""));
      const { text, how } = await app.ended();
      const expected = [...before.map(() => "GET /0"), status];
      assert.deepEqual([answeredBy(text, 2), how], [expected, "end"]);
      assert.deepEqual(
        asked(bed).flat(),
        before.map(() => "GET /0"),
      );
    });

test("as many fields and bytes as are allowed go through", async (t) => {
  const bed = await RelayBed.open(t);
  const app = await bed.connect();
  const fields = many(254);
  const long = `X: ${"y".repeat(65_000 - fields.length)}\r\n`;
  await app.say(get(`/${"a".repeat(300)}`, fields + long), get("/2", LAST));
  const { text } = await app.ended();
  assert.deepEqual(
    answers(text, 2).map(({ status }) => status),
    [200, 200],
  );
});

for (const [what, head] of [
  ["is too long", `X: ${"y".repeat(70_000)}\r\n`],
  ["has no end", `X: ${"y".repeat(200_000)}`],
  ["has too many fields", many(257)],
] as const)
  test(`a response whose head ${what} is refused with 502`, async (t) => {
    const bed = await RelayBed.open(t);
    bed.origin.answering = (_, socket) =>
      socket.write(
        `HTTP/1.1 200 OK\r\n${head}${head.endsWith("\n") ? "Content-Length: 0\r\n\r\n" : ""}`,
      );
    const app = await bed.connect();
    await app.say(get("/1"));
    assert.deepEqual(answeredBy((await app.ended()).text, 1), ["502 failed.response"]);
  });

test("a head that trickles is refused with 408 at its deadline, which no byte puts off", async (t) => {
  const bed = await RelayBed.open(t, { waits: { unfinishedMs: 300 } });
  const app = await bed.connect();
  const startedMs = Date.now();
  for (const byte of get("/1", `X: ${"y".repeat(1_000)}\r\n`)) {
    if (app.how !== undefined) break;
    await app.say(byte);
    await sleep(10);
  }
  const { text, how } = await app.ended();
  const ms = Date.now() - startedMs;
  assert.deepEqual([answeredBy(text, 1), how], [["408 denied.malformed"], "end"]);
  assert.ok(ms >= 300 && ms < 2_000, `${ms} ms`);
  assert.equal(bed.origin.visits.length, 0);
});

test("a second head that trickles is refused with 408 too, and the first has had its answer", async (t) => {
  const bed = await RelayBed.open(t, { waits: { unfinishedMs: 300 } });
  const app = await bed.connect();
  await app.say(get("/1"));
  await app.hears((text) => answers(text, 1).length === 1);
  await app.say("GET /2 HTTP/1.1\r\n");
  const { text } = await app.ended();
  assert.deepEqual(answeredBy(text, 2), ["GET /1", "408 denied.malformed"]);
});

test("between two requests a connection waits for as long as it may, and then ends in good order, untold", async (t) => {
  const bed = await RelayBed.open(t, { http: { idleTimeoutMs: 300 } });
  const app = await bed.connect();
  await app.say(get("/1"));
  const { text, how } = await app.ended();
  assert.deepEqual([answeredBy(text, 1), how], [["GET /1"], "end"]);
});

test("an origin that says nothing more is given up: 504, or a reset where its answer had begun", async (t) => {
  const bed = await RelayBed.open(t, { http: { exchangeTimeoutMs: 300 } });
  bed.origin.answering = (request, socket, visit) => {
    if (request.target === "/silent") return;
    if (request.target === "/cut") socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell");
    else answerMarked(request, socket, visit);
  };
  const [silent, cut] = await Promise.all([bed.connect(), bed.connect()]);
  await Promise.all([silent.say(get("/silent")), cut.say(get("/cut"))]);
  assert.deepEqual(answeredBy((await silent.ended()).text, 1), ["504 failed.response_timeout"]);
  assert.equal((await cut.ended()).how, "ECONNRESET");
});
