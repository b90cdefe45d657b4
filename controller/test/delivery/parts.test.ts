import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Allowance } from "../../src/delivery/allowance.ts";
import { nextLine } from "../../src/delivery/next-line.ts";
import { Standing } from "../../src/delivery/standing.ts";
import { readReview } from "../../src/delivery/token-review.ts";
import { podNamed, statusOf } from "./bed.ts";

const version = (revision: string, rules: number, pod = 1) => ({
  revision,
  basis: { egressrules: `${rules}`, pod: `${pod}` },
});

for (const [what, have, newest, rewound, expected] of [
  ["nothing yet", undefined, version("a", 1), false, "snapshot"],
  ["the same content", version("a", 1), version("a", 9), false, "nothing new"],
  ["other content, made from later", version("a", 1), version("b", 9), false, "snapshot"],
  ["what is newer than known here", version("b", 9), version("a", 1), false, "behind"],
  ["the same content of a later time", version("a", 9), version("a", 1), false, "behind"],
  ["one collection newer, one older", version("a", 9, 1), version("b", 1, 9), false, "behind"],
  ["what is newer, of an API server set back", version("b", 9), version("a", 1), true, "snapshot"],
  ["the same, of one set back", version("a", 9), version("a", 1), true, "snapshot"],
  ["longer numbers", version("a", 9), version("b", 10), false, "snapshot"],
] as const) {
  test(`a sidecar that has ${what}: ${expected}`, () => {
    assert.equal(nextLine(have, newest, rewound), expected);
  });
}

test("an allowance is spent by more than so much at once, and comes back with time, up to that", () => {
  const allowance = new Allowance(10, 100, 0);
  allowance.take(100);
  assert.equal(allowance.spent, false);
  allowance.take(20);
  assert.equal(allowance.spent, true);
  allowance.refill(1_000);
  assert.equal(allowance.spent, true);
  allowance.refill(2_000);
  assert.equal(allowance.spent, false);
  allowance.refill(1_000_000);
  allowance.take(101);
  assert.equal(allowance.spent, true);
});

const pod = podNamed("web");
const good = statusOf(pod);
const claims = (said: object) => `h.${Buffer.from(JSON.stringify(said)).toString("base64url")}.s`;

test("of a token only its whole life counts, whatever the clocks say", () => {
  assert.deepEqual(readReview(good, claims({ iat: 5_000, exp: 5_600 })), {
    ...{ kind: "pod", pod },
    lifeMs: 600_000,
  });
  for (const token of [claims({}), claims({ iat: 9, exp: 1 }), "opaque"])
    assert.deepEqual(readReview(good, token), { kind: "pod", pod, lifeMs: 3_600_000 });
});

const { username, extra } = good.user ?? {};
for (const [what, status, refused] of [
  ["nothing", undefined, 401],
  ["no", { authenticated: false, error: "expired" }, 401],
  ["yes, of no audience", { ...good, audiences: [] }, 401],
  ["yes, and knows of no audiences", { authenticated: true, user: good.user ?? {} }, 401],
  ["yes, of another audience", { ...good, audiences: ["vault"] }, 401],
  ["a person", { ...good, user: { username: "ada", ...(extra && { extra }) } }, 403],
  ["a ServiceAccount without a pod", { ...good, user: { ...(username && { username }) } }, 403],
] as const) {
  test(`an API server that says ${what}: ${refused}`, () => {
    const review = readReview(status, "t");
    assert.equal(review.kind === "refused" && review.status, refused);
  });
}

for (const [what, lifeMs, lost] of [
  ["may be alive stays its pod's, and is looked into again", 600_000, []],
  ["has ended is nobody's", -1, ["connect ECONNREFUSED"]],
] as const) {
  test(`while the API server cannot say, a stream whose token ${what}`, async () => {
    const latestMs = performance.now() + lifeMs;
    const told: string[] = [];
    let asked = 0;
    const reviewer = {
      counts: { pod: 0, refused: 0, unavailable: 0 },
      review: async () => {
        asked++;
        return { kind: "unavailable", why: "connect ECONNREFUSED" } as const;
      },
    };
    const accepted = { kind: "pod", pod, lifeMs, untilMs: latestMs - 1, latestMs } as const;
    const standing = new Standing(accepted, "t", {
      ...{ reviewer, againMs: 1_000 },
      onLost: (why) => void told.push(why),
    });
    standing.look(latestMs - 2);
    assert.equal(asked, 0);
    standing.look(latestMs - 1);
    await delay(0);
    assert.deepEqual([asked, told], [1, lost]);
    standing.look(latestMs);
    await delay(0);
    assert.equal(asked, 2);
  });
}
