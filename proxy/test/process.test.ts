import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { PROXY_CONFIG_ENV } from "../src/contract.ts";
import { fate } from "./support/engine-bed.ts";
import { MAIN, SidecarProcess } from "./support/sidecar-process.ts";

test("a connection made to the sidecar itself is cut, recorded and counted as a loop", async (t) => {
  const sidecar = await SidecarProcess.start(t, { stdio: ["ignore", "pipe", "pipe"] });
  assert.ok(sidecar.child.stdout);
  const log = createInterface(sidecar.child.stdout);
  const line = once(log, "line");
  assert.equal(
    await fate(connect({ host: "127.0.0.1", port: sidecar.ports.outbound })),
    "ECONNRESET",
  );
  const record = JSON.parse((await line)[0]);
  assert.deepEqual(
    [record.verdict, record.reason, record.closed_how, record.bytes_sent],
    ["deny", "denied.loop", "refused", 0],
  );
  const stats = await (await sidecar.get("/stats")).text();
  assert.match(stats, /^egress\.denied\.loop: 1$/m);
  assert.match(stats, /^listener\.0\.0\.0\.0_15001\.downstream_cx_active: 0$/m);
});

test("told to stop it ends with 0; told twice, at once with 1", async (t) => {
  const told = await SidecarProcess.start(t);
  told.child.kill("SIGTERM");
  assert.deepEqual(await told.exit, [0, null]);
  const twice = await SidecarProcess.start(t, {
    config: { drain: { minMs: 60_000, maxMs: 60_000 } },
  });
  twice.child.kill("SIGTERM");
  while ((await twice.get("/ready")).status !== 503);
  twice.child.kill("SIGTERM");
  assert.deepEqual(await twice.exit, [1, null]);
});

test("a log that nobody reads does not keep it from ending", async (t) => {
  const sidecar = await SidecarProcess.start(t, { stdio: ["ignore", "pipe", "pipe"] });
  const queued = async () =>
    Number(
      /^access_log\.queued_bytes: (\d+)$/m.exec(await (await sidecar.get("/stats")).text())?.[1],
    );
  // Until the pipe is full and a write has to wait.
  while ((await queued()) < 50_000)
    await Promise.all(
      Array.from({ length: 100 }, () =>
        fate(connect({ host: "127.0.0.1", port: sidecar.ports.outbound })),
      ),
    );
  const toldMs = performance.now();
  sidecar.child.kill("SIGTERM");
  assert.deepEqual(await sidecar.exit, [0, null]);
  assert.ok(performance.now() - toldMs < 10_000);
});

test("a second sidecar on the same port says what is wrong and ends with 1", async (t) => {
  const first = await SidecarProcess.start(t);
  const ports = { outbound: first.ports.outbound, admin: 0, ready: 0 };
  const env = { [PROXY_CONFIG_ENV]: JSON.stringify({ ports }) };
  const { status, stderr } = spawnSync(process.execPath, [MAIN], { env, encoding: "utf8" });
  assert.equal(status, 1);
  assert.equal(
    stderr,
    `cannot listen on port ${ports.outbound} of 127.0.0.1 and ::1: EADDRINUSE; is another sidecar running?\n`,
  );
});

const waiting = (port: number, seconds: string) =>
  spawn(process.execPath, [MAIN, "wait", seconds], {
    env: { [PROXY_CONFIG_ENV]: JSON.stringify({ ports: { ready: port } }) },
    stdio: ["ignore", "ignore", "pipe"],
  });

test("wait ends with 0 when the sidecar is ready", async (t) => {
  const { ports } = await SidecarProcess.start(t);
  assert.deepEqual(await once(waiting(ports.ready, "20"), "exit"), [0, null]);
});

test("wait gives up in time on a sidecar that accepts and never answers, and says so", async (t) => {
  const mute = createServer(() => {}).listen(0, "127.0.0.1");
  t.after(() => mute.close());
  await once(mute, "listening");
  const { port } = mute.address() as { port: number };
  const wait = waiting(port, "0.5");
  let said = "";
  wait.stderr.on("data", (text) => {
    said += text;
  });
  assert.deepEqual(await once(wait, "close"), [1, null]);
  assert.match(said, /^the sidecar is not ready after 0\.5 s: .+\n$/);
});
