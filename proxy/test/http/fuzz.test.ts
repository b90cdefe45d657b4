import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { RequestHead, ResponseHead } from "../../src/http/message/message.ts";
import { edit, type Message, request, response } from "./messages.ts";
import { requestsIn, responseIn } from "./node-reader.ts";
import { byteByByte, type Cuts, type Outcome, relayRequest, relayResponse } from "./relayed.ts";

const SEED = 5;

/** Without where a thing stood in the head. */
function meaning(outcome: Outcome<RequestHead | ResponseHead>) {
  if (outcome.kind !== "relayed") return outcome;
  const { parts: _, ...head } = outcome.head;
  return { ...outcome, head };
}

interface Kind {
  readonly name: string;
  readonly messages: fc.Arbitrary<Message>;
  relay(bytes: string, cuts?: Cuts): Outcome<RequestHead | ResponseHead>;
}

const KINDS: readonly Kind[] = [
  { name: "request", messages: request, relay: relayRequest },
  {
    name: "response",
    messages: response,
    relay: (bytes, cuts) => relayResponse(bytes, { method: "GET" }, cuts),
  },
];

for (const { name, messages, relay } of KINDS) {
  test(`a sound ${name} is read, and means the same in whatever pieces it comes`, () => {
    const somewhere = fc.array(fc.nat(1_000), { maxLength: 5 });
    fc.assert(
      fc.property(messages, somewhere, ({ bytes, body }, places) => {
        const outcome = relay(bytes);
        assert.ok(outcome.kind === "relayed", JSON.stringify(outcome));
        assert.deepEqual([outcome.body, outcome.rest], [body, ""]);
        const cuts: Cuts = (length) => places.map((at) => at % (length + 1)).sort((a, b) => a - b);
        for (const pieces of [cuts, byteByByte])
          assert.deepEqual(meaning(relay(bytes, pieces)), meaning(outcome));
      }),
      { seed: SEED, numRuns: 3_000 },
    );
  });

  test(`a ${name} that is passed on reads as itself, and goes on unchanged the next time`, () => {
    fc.assert(
      fc.property(messages, fc.option(edit), ({ bytes }, change) => {
        const first = relay(change ? change(bytes) : bytes);
        if (first.kind !== "relayed") return;
        const second = relay(first.sent);
        assert.ok(second.kind === "relayed", JSON.stringify(second));
        assert.deepEqual([second.sent, second.body, second.rest], [first.sent, first.body, ""]);
      }),
      { seed: SEED, numRuns: 10_000 },
    );
  });
}

/** How many of what was tried both have read: a check that compares nothing proves nothing. */
class Agreement {
  tried = 0;
  compared = 0;

  assertUseful(share: number): void {
    assert.ok(this.compared > this.tried * share, `compared ${this.compared} of ${this.tried}`);
  }
}

const MARKED = "GET /marked HTTP/1.1\r\nHost: marked.example\r\nConnection: close\r\n\r\n";

/** Of a head that Node has read, in Node's form. */
function fieldsOf(sent: string): readonly string[] {
  const [, ...lines] = sent.slice(0, sent.indexOf("\r\n\r\n")).split("\r\n");
  return lines.flatMap((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).replace(/^[\t ]+|[\t ]+$/g, "")];
  });
}

test("a request that is passed on is to Node what it is to us, and what comes next is the next", async () => {
  const agreement = new Agreement();
  await fc.assert(
    fc.asyncProperty(request, fc.option(edit, { freq: 4 }), async ({ bytes }, change) => {
      const outcome = relayRequest(change ? change(bytes) : bytes);
      if (outcome.kind !== "relayed") return;
      agreement.tried++;
      const { head, sent, body } = outcome;
      const [first, second, ...more] = await requestsIn(sent + MARKED);
      // Node may be stricter, as with methods that it does not know.
      if (!first) return;
      agreement.compared++;
      const { method, target } = head;
      assert.deepEqual(
        { line: first.line, fields: first.fields, body: first.body },
        { line: `${method} ${target}`, fields: fieldsOf(sent), body },
      );
      assert.deepEqual([second?.line, more.length], ["GET /marked", 0]);
    }),
    { seed: SEED, numRuns: 4_000 },
  );
  agreement.assertUseful(0.8);
});

test("a request that both read is to Node, as it came, what it is to us", async () => {
  const agreement = new Agreement();
  await fc.assert(
    fc.asyncProperty(request, fc.option(edit, { freq: 10 }), async ({ bytes }, change) => {
      const came = change ? change(bytes) : bytes;
      const outcome = relayRequest(came);
      if (outcome.kind !== "relayed") return;
      agreement.tried++;
      const { head, body, rest } = outcome;
      const ours = came.slice(0, came.length - rest.length);
      // Behind the last request of a connection Node reads nothing.
      const [first, second] = await requestsIn(head.keepsAlive ? ours + MARKED : ours);
      if (!first) return;
      agreement.compared++;
      const [method, target = ""] = first.line.split(" ");
      assert.deepEqual([method, inOriginForm(head.method, target)], [head.method, head.target]);
      assert.equal(first.body, body);
      if (head.keepsAlive) assert.equal(second?.line, "GET /marked");
    }),
    { seed: SEED, numRuns: 4_000 },
  );
  agreement.assertUseful(0.8);
});

/** RFC 9112 §3.2.1 and §3.2.4. */
function inOriginForm(method: string, target: string): string {
  const [, rest] = /^http:\/\/[^/?]*(.*)$/i.exec(target) ?? [];
  if (rest === undefined || rest.startsWith("/")) return rest ?? target;
  return rest === "" && method === "OPTIONS" ? "*" : `/${rest}`;
}

test("a response that is passed on is to Node what it is to us, and what comes next is no part of it", async () => {
  const agreement = new Agreement();
  await fc.assert(
    fc.asyncProperty(response, fc.option(edit, { freq: 4 }), async ({ bytes }, change) => {
      const outcome = relayResponse(change ? change(bytes) : bytes);
      if (outcome.kind !== "relayed" || outcome.head.status < 200) return;
      agreement.tried++;
      const { head, sent, body } = outcome;
      const read = await responseIn(sent, "GET", head.framing.kind === "until_close");
      if (!read) return;
      agreement.compared++;
      assert.deepEqual(
        { status: Number(read.line.slice(0, 3)), fields: read.fields, body: read.body },
        { status: head.status, fields: fieldsOf(sent), body },
      );
    }),
    { seed: SEED, numRuns: 4_000 },
  );
  agreement.assertUseful(0.8);
});
