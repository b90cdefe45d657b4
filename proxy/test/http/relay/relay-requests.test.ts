import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { REQUESTS } from "../corpus/requests.ts";
import { RelayBed } from "./bed.ts";
import { allOver, arrivedAt, MARKER, passage } from "./passage.ts";
import { bytewise, type Cut, cutOnce, whole } from "./pieces.ts";
import { readRequests } from "./plain-requests.ts";
import { verdictOn } from "./request-verdict.ts";

/** Every hostile request of the corpus through the whole HTTP path, with a marked one behind it on the same connection. */
const bed = await RelayBed.open({ after }, { http: { idleUpstreams: 0 } });
const awaited = REQUESTS.filter(({ unfinished }) => unfinished);
const others = REQUESTS.filter(({ unfinished }) => !unfinished);

/** How many requests of each have arrived when it was said in one piece. */
const passedWhole = new Map<string, number>();

async function violationsOf(hostile: (typeof REQUESTS)[number], cut: Cut): Promise<string[]> {
  const passed = await passage(bed, cut.pieces);
  const verdict = await verdictOn(passed);
  const violations = [...verdict.violations];
  if (!hostile.legal && verdict.passed > 0) violations.push(`passed on: ${hostile.why}`);
  const before = passedWhole.get(hostile.name) ?? verdict.passed;
  if (verdict.passed !== before) violations.push(`${verdict.passed} pass, in one piece ${before}`);
  passedWhole.set(hostile.name, before);
  return violations.map(
    (violation) => `${hostile.name}, ${cut.name}: ${violation}
    sent ${JSON.stringify(passed.sent.slice(0, 400))}
    arrived ${JSON.stringify(passed.arrived.slice(0, 400))}
    heard ${passed.heard.how} ${JSON.stringify(passed.heard.text.slice(0, 200))}`,
  );
}

async function none(cutsOf: (text: string) => readonly Cut[]): Promise<void> {
  const violations: string[] = [];
  for (const hostile of others)
    for (const cut of cutsOf(hostile.bytes + MARKER))
      violations.push(...(await violationsOf(hostile, cut)));
  assert.equal(violations.length, 0, `${violations.length}:\n${violations.join("\n")}`);
}

describe("of hostile requests nothing arrives, or one in one reading, and what follows is seen as itself", () => {
  test("in one piece", async () => {
    await none((text) => [whole(text)]);
    const passed = others.filter(({ name }) => passedWhole.get(name));
    assert.ok(passed.length > 50, `${passed.length} of ${others.length} pass`);
  });
  test("byte by byte", () => none((text) => [bytewise(text)]));
  test("cut once, wherever a reader may stop to think", () => none((text) => cutOnce(text, 12)));
});

describe("what belongs to a request that is still awaited is never taken for the next one", () => {
  for (const { name, bytes } of awaited)
    test(name, async () => {
      bed.origin.visits.length = 0;
      const app = await bed.connect();
      const end = "GET /marker HTTP/1.1\r\nHost: a.example\r\n\r\n";
      await app.say(bytes, end);
      while (!arrivedAt(bed).endsWith(end)) {
        assert.equal(app.how, undefined, app.text);
        await new Promise<void>((resolve) => {
          bed.origin.onBytes = () => resolve();
        });
      }
      app.close();
      await allOver(bed);
      const { messages, rest } = readRequests(arrivedAt(bed), "as_forwarded");
      assert.deepEqual([messages, rest, app.text], [[], "unfinished", ""]);
    });
});
