import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { answeredBy, answers, asked, get } from "./asking.ts";
import type { RelayBed } from "./bed.ts";
import { ChangingBed } from "./changing-bed.ts";
import { answerMarked } from "./origin.ts";

/** What changes while a request is judged, sent or asked again. */
async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 4_000 && !holds(); i++) await sleep(5);
  assert.ok(holds());
}

const elsewhere = (target: string) => get(target).replace("a.example", "late.example");

test("an app that resets while its next request is judged leaves no upstream of its own behind", async (t) => {
  const bed = await ChangingBed.open(t);
  bed.permit("a.example", "late.example");
  const [asking, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<string[]>()];
  bed.resolve = () => {
    asking.resolve();
    return answer.promise;
  };
  const app = await bed.connect();
  await app.say(get("/1"));
  await app.hears((text) => answers(text, 1).length === 1);
  await app.say(elsewhere("/2"));
  await asking.promise;
  app.socket.resetAndDestroy();
  await until(() => bed.records.length === 2);
  answer.resolve(["127.0.0.1"]);
  // It is idle, and ends where its origin wants it to.
  for (const socket of bed.origin.sockets) socket.end();
  await until(() => bed.origin.sockets.size === 0 && bed.idleUpstreams === 0);
});

test("a request that is asked again is judged again: the policy may have changed meanwhile", async (t) => {
  const bed = await ChangingBed.open(t);
  let waiting: Socket | undefined;
  bed.origin.answering = (request, socket, visit) => {
    if (request.target === "/2") waiting = socket;
    else answerMarked(request, socket, visit);
  };
  const app = await bed.connect();
  await app.say(get("/1"));
  await app.hears((text) => answers(text, 1).length === 1);
  await app.say(get("/2"));
  await until(() => waiting !== undefined);
  bed.permit();
  waiting?.end();
  const { text } = await app.ended();
  assert.deepEqual(answeredBy(text, 2), ["GET /1", "403 denied.no_rule"]);
  assert.deepEqual(asked(bed as unknown as RelayBed), [["GET /1", "GET /2"]]);
});

test("a request whose address is still asked for is judged by the policy of the moment it is known", async (t) => {
  const bed = await ChangingBed.open(t);
  bed.permit("late.example");
  const [asking, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<string[]>()];
  bed.resolve = () => {
    asking.resolve();
    return answer.promise;
  };
  const app = await bed.connect();
  await app.say(elsewhere("/1"));
  await asking.promise;
  bed.permit("a.example");
  await bed.reconsider();
  answer.resolve(["127.0.0.1"]);
  const { text } = await app.ended();
  assert.deepEqual(answeredBy(text, 1), ["403 denied.no_rule"]);
  assert.equal(bed.origin.visits.length, 0);
});

test("a request that waits to be read when the sidecar begins to drain is answered, as its connection's last", async (t) => {
  const bed = await ChangingBed.open(t);
  const app = await bed.dial();
  app.socket.write(get("/1"));
  while (bed.connections[0]?.http === undefined) await new Promise(setImmediate);
  bed.retire();
  const { text, how } = await app.ended();
  assert.deepEqual([answeredBy(text, 1), how], [["GET /1"], "end"]);
  const late = await bed.connect();
  await late.say(get("/2"));
  assert.match((await late.ended()).text, /connection: close/i);
});
