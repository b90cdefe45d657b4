import assert from "node:assert/strict";
import { test } from "node:test";
import { REQUESTS } from "./corpus/requests.ts";
import { RESPONSES, WEB_SOCKET_KEY } from "./corpus/responses.ts";
import {
  byteByByte,
  type Cuts,
  type Outcome,
  relayRequest,
  relayResponse,
  whole,
} from "./relayed.ts";

const inHalves: Cuts = (length) => [Math.floor(length / 2)];
/** What 70,000 bytes byte by byte would show is shown by the others. */
const cutsFor = ({ length }: string): readonly Cuts[] =>
  length < 6_000 ? [whole, inHalves, byteByByte] : [whole, inHalves];

test("the corpora are as large as is said of them, and no name stands twice", () => {
  const refused = (list: readonly { legal?: true }[]) => list.filter(({ legal }) => !legal).length;
  assert.ok(refused(REQUESTS) >= 250 && refused(RESPONSES) >= 120);
  for (const list of [REQUESTS, RESPONSES])
    assert.equal(new Set(list.map(({ name }) => name)).size, list.length);
});

/** Refused, or passed on in a form that reads as itself: the same once more, unchanged and in one piece. */
function isSound<Head>(outcome: Outcome<Head>, again: (sent: string) => Outcome<Head>): boolean {
  if (outcome.kind !== "relayed") return outcome.kind === "fault";
  const second = again(outcome.sent);
  if (second.kind !== "relayed") return false;
  return second.sent === outcome.sent && second.body === outcome.body && second.rest === "";
}

for (const { name, bytes, why, legal, unfinished } of REQUESTS)
  test(`request, ${legal || unfinished ? "one reading or none" : "refused"}: ${name} (${why})`, () => {
    for (const cuts of cutsFor(bytes)) {
      const outcome = relayRequest(bytes, cuts);
      if (unfinished) assert.equal(outcome.kind, "unfinished");
      else if (legal) assert.ok(isSound(outcome, relayRequest), JSON.stringify(outcome));
      else assert.equal(outcome.kind, "fault", JSON.stringify(outcome));
    }
  });

for (const { name, bytes, why, legal, unfinished, ends, to = "GET", webSocket } of RESPONSES)
  test(`response, ${legal || unfinished ? "one reading or none" : "refused"}: ${name} (${why})`, () => {
    const towards = { method: to, webSocketKey: webSocket && WEB_SOCKET_KEY };
    const relayed = (text: string, cuts = whole) => relayResponse(text, towards, cuts);
    for (const cuts of cutsFor(bytes)) {
      const outcome = relayed(bytes, cuts);
      if (ends) assert.ok(outcome.kind === "unfinished" || isInterim(outcome));
      else if (unfinished) assert.equal(outcome.kind, "unfinished");
      else if (legal) assert.ok(isSound(outcome, relayed), JSON.stringify(outcome));
      else assert.equal(outcome.kind, "fault", JSON.stringify(outcome));
    }
  });

function isInterim(outcome: ReturnType<typeof relayResponse>): boolean {
  return outcome.kind === "relayed" && outcome.head.status < 200;
}
