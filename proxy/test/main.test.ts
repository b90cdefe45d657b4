import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { PROXY_CONFIG_ENV } from "../src/contract.ts";

const MAIN = join(import.meta.dirname, "../src/main.ts");

function run(args: readonly string[], env: Record<string, string> = {}) {
  return spawnSync(process.execPath, [MAIN, ...args], { env, encoding: "utf8", timeout: 20_000 });
}

test("a configuration with mistakes does not start: status 2, and every mistake with its path", () => {
  const config = {
    policy: { mode: "enforce", resolvers: ["10.0.0.1:0"] },
    ports: { outbound: 70_000 },
    limit: {},
  };
  const { status, stderr, stdout } = run([], { [PROXY_CONFIG_ENV]: JSON.stringify(config) });
  assert.equal(status, 2);
  assert.match(stderr, new RegExp(`^${PROXY_CONFIG_ENV} is not a sidecar configuration`));
  for (const path of [
    /at policy\.resolvers\[0\]/,
    /at ports\.outbound/,
    /Unrecognized key: "limit"/,
  ])
    assert.match(stderr, path);
  assert.doesNotMatch(stderr, /\n {4}at /);
  assert.equal(stdout, "");
});

test("a file that is not there, or is no JSON, is named", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-main-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "config.json");
  const missing = run(["--config", path]);
  assert.deepEqual([missing.status, missing.stderr.includes(`cannot read ${path}`)], [2, true]);
  writeFileSync(path, "{");
  const broken = run(["--config", path]);
  assert.deepEqual([broken.status, broken.stderr.includes(`${path} is not JSON`)], [2, true]);
});

test("an option or a command that does not exist is status 2 and one line", () => {
  for (const args of [["--confg", "x"], ["serve"], ["wait", "soon"]]) {
    const { status, stderr } = run(args);
    assert.equal(status, 2, stderr);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
  }
});

test("--help and --version answer and end with 0", () => {
  assert.match(run(["--help"]).stdout, /SALLYPORT_PROXY_CONFIG/);
  assert.match(run(["--version"]).stdout, /^\d+\.\d+\.\d+\n$/);
});
