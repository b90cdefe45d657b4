import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReportRow } from "@sallyport/core/delivery";
import { createAttendance } from "../../src/status/attendance.ts";
import { createPace, PACE } from "../../src/status/pace.ts";
import { createRefusalEvents, TELLING } from "../../src/status/refusal-events.ts";
import { refusalNote } from "../../src/status/refusal-note.ts";
import { podOf } from "./objects.ts";

const due = (uid: string, soon = false) => ({ uid, soon, what: uid });
const uids = (picked: readonly { uid: string }[]) => picked.map(({ uid }) => uid);

test("an object's counts are written every five seconds, what else changes every second", () => {
  const pace = createPace();
  const written = { counts: 0, soon: 0 };
  for (let ms = 10_000; ms < 40_000; ms += 250) {
    written.counts += pace.pick([due("counts")], ms).length;
    written.soon += pace.pick([due("soon", true)], ms).length;
  }
  assert.ok(written.counts >= 5 && written.counts <= 7, `${written.counts}`);
  assert.ok(written.soon >= 29 && written.soon <= 31, `${written.soon}`);
});

test("a thousand objects that change all the time: ten writes a second and a first few, and each has its turn", () => {
  const pace = createPace();
  const list = Array.from({ length: 1_000 }, (_, i) => due(`o${i}`));
  const times = new Map<string, number>();
  for (let ms = 10_000; ms < 210_000; ms += 250)
    for (const uid of uids(pace.pick(list, ms))) times.set(uid, (times.get(uid) ?? 0) + 1);
  const all = [...times.values()].reduce((sum, number) => sum + number, 0);
  assert.ok(all <= PACE.burst + PACE.perSecond * 200, `${all} writes`);
  assert.ok(all >= PACE.perSecond * 190, `${all} writes`);
  assert.equal(times.size, 1_000);
  assert.ok(Math.max(...times.values()) <= 4, "nobody is written again and again before others");
});

test("what is soon comes before counts, and whoever has waited longest before others", () => {
  const pace = createPace({ ...PACE, burst: 1, perSecond: 1 });
  assert.deepEqual(uids(pace.pick([due("a", true)], 0)), ["a"]);
  assert.deepEqual(uids(pace.pick([due("b"), due("c")], 500)), []);
  const later = [due("c"), due("b"), due("d"), due("e", true)];
  const order = [10_000, 11_000, 12_000].flatMap((ms) =>
    uids(
      pace.pick(
        later.filter(({ uid }) => uid !== "a"),
        ms,
      ),
    ).slice(0, 1),
  );
  assert.equal(order[0], "e");
  assert.deepEqual(new Set(order.slice(1)).has("d"), false, "d came last");
});

const times = { everyMs: 15_000, lapsedMs: 60_000, goneMs: 100_000 };

test("a controller is gone when it has said nothing new for long, by our clock alone", () => {
  const attendance = createAttendance(times);
  const gone = (name: string, ms: number) => attendance.isGone(name, ms);
  assert.equal(gone("a", 0), false, "nothing is known yet");
  for (let ms = 0; ms <= 105_000; ms += 15_000) {
    attendance.note({ a: "1999-01-01", b: `${ms}` }, ms);
    assert.equal(gone("a", ms), ms >= 100_000, `${ms}`);
    assert.equal(gone("b", ms), false);
  }
  assert.deepEqual(attendance.silent(105_000), ["a"]);
});

test("one that is not among them is gone once it would have been heard; without news nobody is", () => {
  const attendance = createAttendance(times);
  attendance.note({ b: "0" }, 0);
  assert.equal(attendance.isGone("a", 1_000), false);
  attendance.note({ b: "1" }, 15_000);
  assert.equal(attendance.isGone("a", 16_000), false);
  attendance.note({ b: "2" }, 31_000);
  assert.equal(attendance.isGone("a", 32_000), true);
  assert.equal(attendance.isGone("a", 92_000), false, "what was read long ago says nothing of now");
  attendance.note({ a: "0" }, 93_000);
  assert.equal(attendance.isGone("a", 93_000), false, "it was there after all");
});

const refusal: ReportRow = {
  ...{ verdict: "deny", reason: "denied.no_rule", name: "api.example.com", port: 443, count: 1 },
  ...{ nearest: "shop/payments", last: "2026-01-01T00:00:00Z" },
};

for (const [more, note] of [
  [
    {},
    "refused api.example.com:443 (denied.no_rule): no rule permits it; nearest is shop/payments",
  ],
  [
    { name: undefined, address: "2001:db8::1", nearest: undefined },
    "refused [2001:db8::1]:443 (denied.no_rule): no rule permits it",
  ],
  [
    { reason: "denied.boundary", rule: "web", nearest: undefined },
    "refused api.example.com:443 (denied.boundary): a boundary denies it, and no rule can change that; it is boundary web",
  ],
  [
    { verdict: "allow", reason: "revoked", nearest: undefined },
    "closed api.example.com:443 (revoked): it was permitted when it was opened; a newer policy refuses it",
  ],
  [
    { reason: "denied.brand_new", name: "a\u001b[31m\nb", nearest: "bank/ledger" },
    "refused a [31m b:443 (denied.brand_new)",
  ],
] as const)
  test(`an Event says: ${note}`, () => {
    const { name, nearest, ...rest } = { ...refusal, ...more };
    const row = { ...rest, ...(name && { name }), ...(nearest && { nearest }) };
    assert.equal(refusalNote(row, "shop"), note);
  });

test("the same refusal again is the same Event, counted up each minute", () => {
  const events = createRefusalEvents();
  const pod = podOf("web-1");
  const written: number[] = [];
  for (let second = 0; second < 181; second++) {
    events.add(pod, [{ ...refusal, count: 10 }], second * 1_000);
    written.push(...events.pick(second * 1_000).map(({ times }) => times));
  }
  assert.deepEqual(written, [10, 600, 600, 600]);
});

test("what could not be written is counted the next time", () => {
  const events = createRefusalEvents();
  events.add(podOf("web-1"), [refusal], 0);
  const [first] = events.pick(0);
  if (!first) throw new Error("nothing to write");
  events.putBack(first.telling, first.times);
  assert.deepEqual(events.pick(1_000), []);
  events.add(podOf("web-1"), [refusal], 2_000);
  assert.deepEqual(
    events.pick(61_000).map(({ times }) => times),
    [2],
  );
});

test("failures of destinations are no refusals, nor is what passes", () => {
  const events = createRefusalEvents();
  events.add(
    podOf("web-1"),
    [
      { ...refusal, reason: "failed.dns" },
      { ...refusal, verdict: "allow", reason: "failed.connect_refused" },
      { ...refusal, verdict: "allow", reason: "allowed.audit", would_be: "denied.no_rule" },
    ],
    0,
  );
  assert.deepEqual(events.pick(0), []);
});

test("a pod that is refused at ten thousand names a second has its few Events, and other pods theirs", () => {
  const events = createRefusalEvents();
  const written = new Map<string, number>();
  for (let ms = 0; ms < 10_000; ms += 100) {
    const rows = Array.from({ length: 1_000 }, (_, i) => ({
      ...refusal,
      name: `a${ms}-${i}.example`,
    }));
    events.add(podOf("flood"), rows, ms);
    if (ms % 1_000 === 0) events.add(podOf(`quiet-${ms}`), [refusal], ms);
    for (const { telling } of events.pick(ms))
      written.set(telling.pod.name, (written.get(telling.pod.name) ?? 0) + 1);
  }
  assert.equal(written.get("flood"), TELLING.podBurst);
  assert.equal(written.size, 11);
});

test("a thousand pods that are refused are told of at the controller's own pace", () => {
  const events = createRefusalEvents();
  let written = 0;
  for (let ms = 0; ms <= 10_000; ms += 100) {
    for (let i = 0; i < 1_000; i++) events.add(podOf(`web-${i}`), [refusal], ms);
    written += events.pick(ms).length;
  }
  assert.equal(written, TELLING.burst + 10 * TELLING.perSecond);
});
