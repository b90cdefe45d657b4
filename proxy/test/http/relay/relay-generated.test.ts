import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { edit, type Message, request, response } from "../messages.ts";
import { RelayBed } from "./bed.ts";
import { MARKER, passage } from "./passage.ts";
import { readResponses } from "./plain-responses.ts";
import { askedTwice } from "./reply.ts";
import { isRefusal, verdictOn } from "./request-verdict.ts";
import { verdictOnReply } from "./response-verdict.ts";

/** Sound messages, and such as were sound but for an edit or two, through the whole HTTP path. */
const RUNS = { seed: 5, numRuns: 1_500, interruptAfterTimeLimit: 60_000 };
/** Pieces into which they are cut, at places of chance. */
const places = fc.array(fc.nat(2_000), { maxLength: 5 });

function pieces(text: string, at: readonly number[]): string[] {
  const cuts = [0, ...at.map((place) => place % text.length), text.length].sort((a, b) => a - b);
  return cuts
    .slice(1)
    .map((end, i) => text.slice(cuts[i], end))
    .filter((piece) => piece !== "");
}

/** Most are left sound. */
function edited(messages: fc.Arbitrary<Message>): fc.Arbitrary<string> {
  return fc
    .tuple(
      messages,
      fc.oneof(
        { weight: 2, arbitrary: fc.constant([]) },
        fc.array(edit, { minLength: 1, maxLength: 2 }),
      ),
    )
    .map(([{ bytes }, edits]) => edits.reduce((text, change) => change(text), bytes));
}

/** A check that compares nothing proves nothing. */
function assertBoth(passed: number, refused: number): void {
  assert.ok(passed > 100 && refused > 100, `${passed} passed on, ${refused} refused`);
}

test("whatever requests an app pipelines, what arrives is what was asked, in one reading, and has its own answer", async () => {
  const bed = await RelayBed.open({ after }, { http: { idleUpstreams: 0 } });
  let [passed, refused] = [0, 0];
  await fc.assert(
    fc.asyncProperty(
      fc.array(edited(request), { minLength: 1, maxLength: 3 }),
      places,
      async (requests, at) => {
        const taken = await passage(bed, pieces(requests.join("") + MARKER, at));
        const verdict = await verdictOn(taken);
        assert.deepEqual(verdict.violations, [], JSON.stringify(taken, undefined, 2));
        if (verdict.passed > 0) passed++;
        if (verdict.passed < requests.length) refused++;
      },
    ),
    RUNS,
  );
  assertBoth(passed, refused);
});

test("whatever an origin answers, the app hears that in one reading or a refusal, and nothing of it as its next answer", async () => {
  const bed = await RelayBed.open({ after });
  let [passed, refused] = [0, 0];
  await fc.assert(
    fc.asyncProperty(
      edited(response),
      fc.constantFrom("GET", "GET", "HEAD"),
      places,
      fc.constantFrom("pipelined", "afterwards", "by another app"),
      async (text, method, at, second) => {
        const { messages } = readResponses(text, [method], false, "as_sent");
        const saying = { pieces: pieces(text, at), ends: messages.length === 0 };
        const reply = await askedTwice(bed, { method }, saying, second);
        const { answer, violations } = await verdictOnReply(reply);
        assert.deepEqual(violations, [], JSON.stringify(reply, undefined, 2));
        if (answer && !isRefusal(answer)) passed++;
        else refused++;
      },
    ),
    RUNS,
  );
  assertBoth(passed, refused);
});
