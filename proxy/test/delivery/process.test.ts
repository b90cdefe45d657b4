import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Overview } from "../../src/admin/insight.ts";
import { ControlServer, snapshotLine, until } from "../support/control-server.ts";
import { fate } from "../support/engine-bed.ts";
import { SidecarProcess } from "../support/sidecar-process.ts";

const FIRST = snapshotLine("r1", { mode: "enforce", pod: { namespace: "shop" } });
const TOKEN = "a.secret.token";

async function open(t: TestContext) {
  const server = await ControlServer.start();
  const folder = mkdtempSync(join(tmpdir(), "sallyport-control-"));
  t.after(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, TOKEN);
  const control = { host: "localhost", port: server.port, ca: server.ca, tokenFile };
  const start = () =>
    SidecarProcess.start(t, { config: { control: { ...control, stateDir: folder } } });
  return { server, start };
}

const text = async (sidecar: SidecarProcess, path: string) => (await sidecar.get(path)).text();
const overviewOf = async (sidecar: SidecarProcess): Promise<Overview> =>
  JSON.parse(await text(sidecar, "/overview"));
const stat = async (sidecar: SidecarProcess, name: string) =>
  Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(await text(sidecar, "/stats"))?.[1]);

test("a sidecar is ready when it has its first policy, and says before that why it is not", async (t) => {
  const { server, start } = await open(t);
  server.refuse = () => "HTTP/1.1 503 Later\r\ncontent-length: 8\r\n\r\nnot yet!";
  const sidecar = await start();
  const waiting = await until(async () => {
    const answer = await sidecar.get("/ready");
    assert.equal(answer.status, 503);
    const body = await answer.text();
    return body.includes("because") && body;
  }, "the reason");
  assert.match(waiting, /^not ready: there is no policy.*\nbecause: .*\(503\): not yet!\n$/);
  // Other pods can ask here: whether, and not why.
  const outside = await fetch(`http://127.0.0.1:${sidecar.ports.ready}/ready`);
  assert.equal(
    await outside.text(),
    "not ready: there is no policy from the controllers yet\nbecause: port 15000 says more\n",
  );
  assert.equal(await stat(sidecar, "snapshot.version"), 0);
  assert.equal(await stat(sidecar, "control.connected"), 0);
  assert.ok((await stat(sidecar, "control.failures_total")) > 0);

  server.refuse = () => undefined;
  const stream = await server.stream();
  assert.equal((await sidecar.get("/ready")).status, 503);
  stream.say(FIRST);
  await stream.line("applied");
  assert.equal(await text(sidecar, "/ready"), "ready\n");
  for (const [name, value] of [
    ["control.connected", 1],
    ["control.connects_total", 1],
    ["snapshot.version", 1],
  ] as const)
    assert.equal(await stat(sidecar, name), value, name);
});

test("who gave the policy, and how the stream is, can be read; the token cannot", async (t) => {
  const { server, start } = await open(t);
  const sidecar = await start();
  const stream = await server.stream();
  stream.say(FIRST);
  await stream.line("applied");
  const { policy, control } = await overviewOf(sidecar);
  assert.deepEqual(
    [policy.mode, policy.version, policy.from, policy.revision],
    ["enforce", 1, "controllers", "r1"],
  );
  assert.deepEqual(
    [control?.host, control?.connected, control?.problem],
    ["localhost", true, undefined],
  );
  const dumped = await text(sidecar, "/config_dump");
  const dump = JSON.parse(dumped);
  assert.deepEqual(dump.policy.snapshot, FIRST.snapshot);
  assert.deepEqual([dump.policy.revision, dump.policy.basis], ["r1", FIRST.basis]);
  assert.equal(dump.policy.control.connected, true);
  assert.match(dump.config.control.caSha256, /^[0-9a-f]{64}$/);
  assert.doesNotMatch(dumped, new RegExp(`${TOKEN}|BEGIN CERTIFICATE`));
});

test("restarted without any controller it is ready by what it had, and tells since when", async (t) => {
  const { server, start } = await open(t);
  const first = await start();
  const stream = await server.stream();
  stream.say(FIRST);
  await stream.line("applied");
  first.child.kill("SIGTERM");
  assert.deepEqual(await first.exit, [0, null]);
  server.close();
  const second = await start();
  assert.equal(await text(second, "/ready"), "ready\n");
  const { policy, control } = await overviewOf(second);
  assert.deepEqual([policy.from, policy.revision, control?.connected], ["kept", "r1", false]);
});

test("what the sidecar has decided is told to the controller, the last of it as it ends", async (t) => {
  const { server, start } = await open(t);
  const sidecar = await start();
  const stream = await server.stream();
  stream.say(FIRST);
  await stream.line("applied");
  for (let i = 0; i < 3; i++)
    assert.equal(
      await fate(connect({ host: "127.0.0.1", port: sidecar.ports.outbound })),
      "ECONNRESET",
    );
  sidecar.child.kill("SIGTERM");
  await sidecar.exit;
  await until(() => stream.isOver, "the end");
  const rows = stream.all("report").flatMap((report) => report.rows);
  assert.equal(
    rows.reduce((sum, { count }) => sum + count, 0),
    3,
  );
  assert.deepEqual([rows[0]?.verdict, rows[0]?.reason], ["deny", "denied.loop"]);
});
