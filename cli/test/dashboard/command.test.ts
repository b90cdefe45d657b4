import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { before, test } from "node:test";
import type { Fleet } from "@sallyport/cli/dashboard/fleet";
import { bundleDashboard } from "../../../scripts/bundle.ts";

const ROOT = resolve(import.meta.dirname, "../../..");

before(() => bundleDashboard(join(ROOT, "dist")));

interface CleanUps {
  after(step: () => unknown): void;
}

/** A kubeconfig for a server that has nothing. */
async function kubeconfigOf(t: CleanUps): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(404, { "content-type": "application/json" });
    response.end(JSON.stringify({ kind: "Status", message: "not found" }));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return kubeconfigFor(t, (server.address() as AddressInfo).port);
}

function kubeconfigFor(t: CleanUps, port: number): string {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-dashboard-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "kubeconfig");
  const cluster = { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true };
  writeFileSync(
    file,
    JSON.stringify({
      ...{ apiVersion: "v1", kind: "Config", "current-context": "here" },
      clusters: [{ name: "here", cluster }],
      contexts: [{ name: "here", context: { cluster: "here", user: "me" } }],
      users: [{ name: "me", user: {} }],
    }),
  );
  return file;
}

function dashboard(...args: readonly string[]) {
  const child = spawn(process.execPath, [join(ROOT, "cli/src/main.ts"), "dashboard", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const told = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (text: string) => {
      told[name] += text;
    });
  const ended = once(child, "close").then(([status]) => ({ status: status as number, ...told }));
  return { child, told, ended };
}

test("it says where it is, listens on loopback alone, and ends at once when it is told to", async (t) => {
  const { child, told, ended } = dashboard("--kubeconfig", await kubeconfigOf(t), "--port", "0");
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  const [, port] = /^http:\/\/localhost:(\d+)\/\n$/.exec(told.stdout) ?? [];
  assert.ok(port, told.stdout);
  const page = await fetch(`http://127.0.0.1:${port}/`);
  assert.match(await page.text(), /^<!doctype html>/);
  const asked = await fetch(`http://127.0.0.1:${port}/fleet`);
  const fleet = (await asked.json()) as Fleet;
  assert.equal(fleet.context, "here");
  await assert.rejects(fetch(`http://[::1]:${port}/`));
  await assert.rejects(fetch(`http://127.0.0.2:${port}/`));
  child.kill("SIGTERM");
  assert.equal((await ended).status, 0);
});

test("a cluster that cannot be reached is told at once", async (t) => {
  const { ended } = dashboard("--kubeconfig", kubeconfigFor(t, 1), "--port", "0");
  const { status, stderr } = await ended;
  assert.match(stderr, /^sallyport dashboard: .*127\.0\.0\.1:1/);
  assert.equal(status, 3);
});

for (const [args, said] of [
  [["--port", "x"], /--port x: expected a port, 0 to 65535/],
  [["--port", "65536"], /--port 65536: expected a port/],
  [["--listen", "0.0.0.0"], /--listen/],
] as const)
  test(`${args.join(" ")} is refused`, async () => {
    const { status, stderr } = await dashboard(...args).ended;
    assert.match(stderr, said);
    assert.equal(status, 2);
  });
