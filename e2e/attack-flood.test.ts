import assert from "node:assert/strict";
import { after, test } from "node:test";
import { EgressPod, HOSTILE, REAL } from "./support/egress-pod.ts";
import { smallHello } from "./support/hellos.ts";
import { told } from "./support/told.ts";

/** An app that begins ten thousand ClientHellos and finishes none. */
const HALF_OPEN = 10_000;
const bed = await EgressPod.open(
  { after },
  {
    policy: {
      rules: { web: [{ hosts: ["*.example.com"], ports: [{ port: 443, protocol: "tls" }] }] },
    },
    zone: { "*.example.com": { A: [REAL] } },
    limits: { connections: HALF_OPEN + 100 },
    waits: { unfinishedMs: 30_000 },
    // All of them end at once, and the log is what is read: nothing of it is to be dropped.
    accessLog: { queueBytes: 64 << 20 },
  },
);

test("ten thousand half-open sniffs cost a descriptor and some kilobytes each, hold up nobody, and end at their deadline", async (t) => {
  const good = async () => {
    const { heard } = await bed.attempt({ address: REAL, port: 443, tls: "www.example.com" });
    assert.equal(told(heard), `${REAL} www.example.com`);
    return heard.ms;
  };
  await good();
  const before = bed.sidecar.usage();
  const hello = await smallHello("www.example.com");
  const half = { address: HOSTILE, port: 443, say: [hello.subarray(0, 150)] };
  const { ended } = await bed.app.crowd(HALF_OPEN, half);
  const during = bed.sidecar.usage();
  assert.ok(during.files - before.files >= HALF_OPEN, `${during.files} descriptors`);
  assert.ok(during.files - before.files < HALF_OPEN + 100, `${during.files} descriptors`);
  const kbEach = ((during.rssMb - before.rssMb) * 1_024) / HALF_OPEN;
  assert.ok(kbEach < 16, `${kbEach} KB each`);
  const ms = await good();
  assert.ok(ms < 5_000, `${ms} ms for a good connection meanwhile`);
  assert.equal(await bed.stat("listener.0.0.0.0_15001.downstream_cx_active"), HALF_OPEN);

  const endings = await ended;
  assert.deepEqual(endings, { "15030100020231": HALF_OPEN });
  const refused = await bed.recordsWhere(({ reason }) => reason === "denied.malformed", HALF_OPEN);
  assert.ok(refused.every(({ duration_ms }) => duration_ms > 29_500 && duration_ms < 90_000));
  await good();
  assert.ok(bed.sidecar.usage().files <= before.files + 5, "descriptors are left");
  assert.deepEqual(bed.witness.visitsAt(HOSTILE), []);
  t.diagnostic(
    `${HALF_OPEN} half-open: ${during.files - before.files} descriptors, ${kbEach.toFixed(1)} KB each; ` +
      `a good connection meanwhile ${ms.toFixed(0)} ms`,
  );
});
