import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { hashOf } from "./support/peer.ts";
import { OUTSIDE, SidecarPod } from "./support/sidecar-pod.ts";

const MB = 1_000_000;

for (const family of ["ipv4", "ipv6"] as const)
  test(`${family}: 100 MB each way at once arrive unchanged`, async (t) => {
    const pod = await SidecarPod.open(t);
    await pod.outside.serve(OUTSIDE[family], 7001, { say: 100 * MB, key: 2 });
    const heard = await pod.app.dial(OUTSIDE[family], 7001, { say: 100 * MB, key: 3 });
    assert.deepEqual(heard, { received: 100 * MB, sha256: hashOf(100 * MB, 2), how: "end" });
    const served = await pod.outside.served(7001);
    assert.equal(served.sha256, hashOf(100 * MB, 3));
    const [record] = await pod.recordsOf(7001);
    assert.equal(record?.original_address, OUTSIDE[family]);
    assert.deepEqual(
      [record?.bytes_sent, record?.bytes_received, record?.closed_how],
      [100 * MB, 100 * MB, "end"],
    );
  });

test("2,000 connections at once each get their own bytes back", async (t) => {
  const pod = await SidecarPod.open(t);
  await pod.outside.serve(OUTSIDE.ipv4, 7002, { ending: "echo" });
  const heard = await pod.app.crowd(2_000, OUTSIDE.ipv4, 7002, { say: 20_000 });
  for (const [i, { sha256, how }] of heard.entries()) {
    assert.equal(how, "end");
    assert.equal(sha256, hashOf(20_000, (i % 200) + 1));
  }
  assert.equal((await pod.recordsOf(7002, 2_000)).length, 2_000);
});

test("an upstream that never reads costs bounded memory, and others go on", async (t) => {
  const pod = await SidecarPod.open(t);
  await pod.outside.serve(OUTSIDE.ipv4, 7003, { hear: false, ending: "hold" });
  await pod.outside.serve(OUTSIDE.ipv4, 7004, { ending: "echo" });
  const before = pod.usage().rssMb;
  void pod.app.crowd(20, OUTSIDE.ipv4, 7003, { say: 100 * MB });
  const until = performance.now() + 2_000;
  while (performance.now() < until) {
    const heard = await pod.app.dial(OUTSIDE.ipv4, 7004, { say: 50_000 });
    assert.deepEqual(heard, { received: 50_000, sha256: hashOf(50_000), how: "end" });
  }
  assert.ok(pod.usage().rssMb - before < 40, `from ${before} to ${pod.usage().rssMb} MB`);
});

test("an app that is killed leaves nothing behind, and its servers hear of it", async (t) => {
  const pod = await SidecarPod.open(t);
  await pod.outside.serve(OUTSIDE.ipv4, 7005, { ending: "hold" });
  const before = pod.usage().files;
  void pod.app.crowd(50, OUTSIDE.ipv4, 7005, { say: 1_000, ending: "hold" });
  while (JSON.parse(await pod.admin("/connections?format=json")).length < 50) await sleep(20);
  pod.app.kill();
  for (let i = 0; i < 50; i++) assert.equal((await pod.outside.served(7005)).received, 1_000);
  // The servers hold their side; only when they let go is the connection over.
  await pod.outside.resetAll();
  await pod.recordsOf(7005, 50);
  assert.deepEqual(JSON.parse(await pod.admin("/connections?format=json")), []);
  assert.equal(pod.usage().files, before);
});

test("a reset outside is a reset to the app, and the reverse", async (t) => {
  const pod = await SidecarPod.open(t);
  await pod.outside.serve(OUTSIDE.ipv4, 7006, { say: 1_000, ending: "hold" });
  for (const who of ["outside", "app"] as const) {
    const dialled = pod.app.dial(OUTSIDE.ipv4, 7006, { say: 1_000, ending: "hold" });
    const through = async () => {
      const [open] = JSON.parse(await pod.admin("/connections?format=json"));
      return open?.bytesSent === 1_000 && open.bytesReceived === 1_000;
    };
    while (!(await through())) await sleep(10);
    await sleep(200);
    await pod[who].resetAll();
    const other = who === "outside" ? await dialled : await pod.outside.served(7006);
    assert.deepEqual([other.how, other.received], ["ECONNRESET", 1_000]);
    if (who === "outside") await pod.outside.resetAll();
  }
  const records = await pod.recordsOf(7006, 2);
  assert.deepEqual(
    records.map(({ closed_by, closed_how }) => [closed_by, closed_how]),
    [
      ["upstream", "reset"],
      ["app", "reset"],
    ],
  );
});

test("an app that resets while its destination is being dialled ends the dial, and is recorded", async (t) => {
  const pod = await SidecarPod.open(t, { config: { limits: { connectTimeoutMs: 60_000 } } });
  await pod.world.run("iptables", "-A", "INPUT", "-d", OUTSIDE.dark, "-j", "DROP");
  const before = pod.usage().files;
  void pod.app.crowd(20, OUTSIDE.dark, 7008, { say: 1_000, ending: "hold" });
  while (JSON.parse(await pod.admin("/connections?format=json")).length < 20) await sleep(10);
  await pod.app.resetAll();
  for (const record of await pod.recordsOf(7008, 20)) {
    assert.deepEqual([record.closed_by, record.closed_how], ["app", "reset"]);
    assert.equal("connect_ms" in record, false);
  }
  assert.deepEqual(JSON.parse(await pod.admin("/connections?format=json")), []);
  assert.equal(pod.usage().files, before);
});

test("300 downloads that wait and then go on are whole although pipe pages have run out", async (t) => {
  const pod = await SidecarPod.open(t);
  const bytes = 3 * MB;
  await pod.outside.serve(OUTSIDE.ipv4, 7007, { say: bytes });
  const downloads = pod.app.crowd(300, OUTSIDE.ipv4, 7007, { hear: false });
  while (JSON.parse(await pod.admin("/connections?format=json")).length < 300) await sleep(50);
  await sleep(1_000);
  await pod.app.readAll();
  await downloads;
  for (const { bytes_received, closed_how } of await pod.recordsOf(7007, 300))
    assert.deepEqual([bytes_received, closed_how], [bytes, "end"]);
});
