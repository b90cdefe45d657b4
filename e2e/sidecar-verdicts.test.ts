import assert from "node:assert/strict";
import {
  chmodSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProxyConfigInput } from "@sallyport/proxy/contract";
import { ruleOf } from "./support/egress-pod.ts";
import { hashOf } from "./support/peer.ts";
import { OUTSIDE, SidecarPod } from "./support/sidecar-pod.ts";

/** One rule for addresses, whatever is spoken. */
const enforce = (cidr: string, port: number, endPort = port): ProxyConfigInput => ({
  policy: {
    mode: "enforce",
    pod: { namespace: "shop" },
    rules: [ruleOf("outside", [{ cidrs: [cidr], ports: [{ port, endPort, protocol: "tcp" }] }])],
  },
});

test("what no entry covers is reset and recorded, what one covers passes under its name", async (t) => {
  const pod = await SidecarPod.open(t, { config: enforce("192.0.2.0/24", 7100, 7199) });
  await pod.outside.serve(OUTSIDE.ipv4, 7100, { ending: "echo" });
  await pod.outside.serve(OUTSIDE.ipv6, 7100, { ending: "echo" });
  const allowed = await pod.app.dial(OUTSIDE.ipv4, 7100, { say: 10 });
  const denied = await pod.app.dial(OUTSIDE.ipv6, 7100, { say: 10 });
  assert.deepEqual([allowed.how, denied.how], ["end", "ECONNRESET"]);
  const records = await pod.recordsOf(7100, 2);
  assert.deepEqual(
    records.map(({ reason, rule, matched, pod: name }) => [reason, rule, matched, name]),
    [
      ["allowed.rule", "shop/outside", "192.0.2.0/24:7100-7199", "web-0"],
      ["denied.no_rule", undefined, undefined, "web-0"],
    ],
  );
  const stats = await pod.admin("/stats?filter=^(egress|cluster)");
  assert.match(stats, /^cluster\.192\.0\.2\.0\/24_7100-7199\.upstream_cx_tx_bytes_total: 10$/m);
  assert.match(stats, /^egress\.denied\.no_rule: 1$/m);
});

test("in audit mode it passes, and the record says what enforce would have said", async (t) => {
  const pod = await SidecarPod.open(t);
  await pod.outside.serve(OUTSIDE.ipv4, 7101, { ending: "echo" });
  assert.equal((await pod.app.dial(OUTSIDE.ipv4, 7101, { say: 10 })).how, "end");
  const [record] = await pod.recordsOf(7101);
  assert.deepEqual([record?.reason, record?.would_be], ["allowed.audit", "denied.no_rule"]);
});

test("nothing listening, no answer and no way there are told apart; to the app each is a reset", async (t) => {
  const pod = await SidecarPod.open(t, { config: { limits: { connectTimeoutMs: 1_500 } } });
  await pod.world.run("iptables", "-A", "INPUT", "-d", OUTSIDE.dark, "-j", "DROP");
  await pod.world.run(
    ...["iptables", "-A", "INPUT", "-d", OUTSIDE.gone],
    ...["-j", "REJECT", "--reject-with", "icmp-host-unreachable"],
  );
  for (const [address, reason, error] of [
    [OUTSIDE.ipv4, "failed.connect_refused", "ECONNREFUSED"],
    [OUTSIDE.ipv6, "failed.connect_refused", "ECONNREFUSED"],
    [OUTSIDE.dark, "failed.connect_timeout", "ETIMEDOUT"],
    [OUTSIDE.gone, "failed.unreachable", "EHOSTUNREACH"],
  ] as const) {
    const seen = pod.records.length;
    assert.equal((await pod.app.dial(address, 7102, {})).how, "ECONNRESET", address);
    const record = (await pod.recordsOf(7102, seen + 1)).at(-1);
    assert.deepEqual(
      [record?.reason, record?.error, record?.closed_how],
      [reason, error, "failed"],
    );
  }
});

test("at the limit one more connection is reset, recorded and counted, and the open ones live on", async (t) => {
  const pod = await SidecarPod.open(t, { config: { limits: { connections: 5 } } });
  await pod.outside.serve(OUTSIDE.ipv4, 7103, { ending: "hold" });
  void pod.app.crowd(5, OUTSIDE.ipv4, 7103, { say: 100, ending: "hold" });
  while (JSON.parse(await pod.admin("/connections?format=json")).length < 5) await sleep(10);
  assert.equal((await pod.app.dial(OUTSIDE.ipv4, 7103, { say: 100 })).how, "ECONNRESET");
  const [record] = await pod.recordsOf(7103);
  assert.equal(record?.reason, "denied.limit");
  assert.match(await pod.admin("/stats"), /downstream_cx_overflow: 1$/m);
  assert.match(await pod.admin("/stats"), /downstream_cx_active: 5$/m);
});

test("a redirect that does not spare the sidecar is a loop: cut at once, without a storm", async (t) => {
  const pod = await SidecarPod.open(t, { spare: 41_414 });
  assert.equal((await pod.app.dial(OUTSIDE.ipv4, 7104, { say: 100 })).how, "ECONNRESET");
  const loops = () => pod.records.filter(({ reason }) => reason === "denied.loop");
  while (loops().length === 0) await sleep(10);
  await sleep(1_000);
  assert.equal(loops().length, 1);
  assert.ok(pod.records.length <= 2, JSON.stringify(pod.records));
});

test("an app's connection that looks like one of the sidecar's own, for conntrack gave it that port, is no loop", async (t) => {
  const pod = await SidecarPod.open(t);
  await pod.outside.serve(OUTSIDE.ipv4, 7110, { ending: "echo" });
  void pod.app.crowd(1, OUTSIDE.ipv4, 7110, { say: 10, ending: "hold" });
  while (JSON.parse(await pod.admin("/connections?format=json"))[0]?.bytesReceived !== 10)
    await sleep(10);
  const sockets = await pod.pod.run("ss", "-Htnp");
  const own = sockets
    .split("\n")
    .find((line) => line.includes(`pid=${pod.sidecar.pid},`) && line.includes(":7110 "));
  const port = /10\.20\.0\.2:(\d+)/.exec(own ?? "")?.[1];
  assert.ok(port, sockets);
  await pod.pod.run(
    ...["iptables", "-t", "nat", "-A", "POSTROUTING", "-p", "tcp", "--dport", "15001"],
    ...["-j", "SNAT", "--to-source", `10.20.0.2:${port}`],
  );
  const heard = await pod.app.dial(OUTSIDE.ipv4, 7110, { say: 10 });
  assert.equal(heard.how, "end", JSON.stringify(pod.records));
});

test("a sidecar that is told of another user than its own does not start", async (t) => {
  const config = { user: { uid: 41_414, gid: 41_414 } };
  await assert.rejects(
    SidecarPod.open(t, { config }),
    /runs as uid 31337 gid 31337, but iptables spares uid 41414 gid 41414/,
  );
});

test("a policy file that changes is applied at once, also by a swap of links; a bad one changes nothing", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-policy-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "1.json"), JSON.stringify(enforce("192.0.2.10", 7105)), {
    mode: 0o644,
  });
  writeFileSync(join(folder, "2.json"), JSON.stringify(enforce("192.0.2.10", 7106)), {
    mode: 0o644,
  });
  writeFileSync(join(folder, "3.json"), '{"policy": {"mode": "open"}}', { mode: 0o644 });
  const swapTo = (name: string) => {
    symlinkSync(name, join(folder, "next"));
    renameSync(join(folder, "next"), join(folder, "config.json"));
  };
  swapTo("1.json");
  chmodSync(folder, 0o755);
  const pod = await SidecarPod.open(t, { args: ["--config", join(folder, "config.json")] });
  for (const port of [7105, 7106]) await pod.outside.serve(OUTSIDE.ipv4, port, { ending: "echo" });
  const passes = async (port: number) =>
    (await pod.app.dial(OUTSIDE.ipv4, port, { say: 10 })).how === "end";
  assert.deepEqual([await passes(7105), await passes(7106)], [true, false]);

  swapTo("2.json");
  while (!(await pod.admin("/stats")).includes("snapshot.version: 2")) await sleep(50);
  assert.deepEqual([await passes(7105), await passes(7106)], [false, true]);

  swapTo("3.json");
  while (!(await pod.admin("/stats")).includes("snapshot.rejected: 1")) await sleep(50);
  assert.deepEqual([await passes(7105), await passes(7106)], [false, true]);
  assert.match(await pod.admin("/ready"), /^ready\nwarning: .*policy\.mode/ms);

  unlinkSync(join(folder, "config.json"));
  while (!(await pod.admin("/stats")).includes("snapshot.rejected: 2")) await sleep(50);
  assert.equal(await passes(7106), true);
});

test("told to stop, it is not ready, lets a running download finish, and then ends with 0", async (t) => {
  const pod = await SidecarPod.open(t);
  await pod.outside.serve(OUTSIDE.ipv4, 7107, { say: 20_000_000 });
  const download = pod.app.dial(OUTSIDE.ipv4, 7107, { hear: false });
  while (JSON.parse(await pod.admin("/connections?format=json")).length === 0) await sleep(10);
  pod.sidecar.kill("SIGTERM");
  while (
    await pod.admin("/ready").then(
      () => true,
      () => false,
    )
  )
    await sleep(10);
  await sleep(200);
  assert.equal(pod.sidecar.exitCode, null);
  await pod.app.readAll();
  assert.equal((await download).how, "end");
  const [record] = await pod.recordsOf(7107);
  assert.deepEqual([record?.bytes_received, record?.closed_how], [20_000_000, "end"]);
  while (pod.sidecar.exitCode === null) await sleep(10);
  assert.equal(pod.sidecar.exitCode, 0);
});

test("what has not ended when the drain is over is reset", async (t) => {
  const pod = await SidecarPod.open(t, { config: { drain: { maxMs: 300 } } });
  await pod.outside.serve(OUTSIDE.ipv4, 7108, { ending: "hold" });
  const held = pod.app.dial(OUTSIDE.ipv4, 7108, { say: 100, ending: "hold" });
  while (JSON.parse(await pod.admin("/connections?format=json")).length === 0) await sleep(10);
  pod.sidecar.kill("SIGTERM");
  assert.equal((await held).how, "ECONNRESET");
  assert.equal((await pod.recordsOf(7108))[0]?.closed_how, "drain");
});

test("a log that nobody reads holds up no connection and is bounded: lines are dropped and counted", async (t) => {
  const pod = await SidecarPod.open(t, {
    config: { accessLog: { queueBytes: 4_096 } },
    readLog: false,
  });
  await pod.outside.serve(OUTSIDE.ipv4, 7109, { ending: "echo" });
  for (let round = 0; round < 10; round++) {
    const heard = await pod.app.crowd(100, OUTSIDE.ipv4, 7109, { say: 10, key: 1 });
    assert.ok(heard.every(({ sha256 }) => sha256 === hashOf(10)));
  }
  const stats = await pod.admin("/stats");
  const figure = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(stats)?.[1]);
  assert.ok(figure("access_log.dropped") > 100, stats);
  assert.ok(figure("access_log.queued_bytes") <= 4_096, stats);
});
