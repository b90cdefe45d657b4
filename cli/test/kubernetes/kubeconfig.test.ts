import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { test } from "node:test";

const MAIN = resolve(import.meta.dirname, "../../src/main.ts");

test("who has no kubeconfig is told so, and not of an address that nobody has given", () => {
  const env = { PATH: process.env.PATH, HOME: "/nonexistent" };
  const { status, stderr } = spawnSync(process.execPath, [MAIN, "get", "web"], {
    ...{ env, encoding: "utf8", timeout: 60_000 },
  });
  assert.match(stderr, /there is no kubeconfig: give --kubeconfig FILE, or set \$KUBECONFIG/);
  assert.doesNotMatch(stderr, /localhost/);
  assert.equal(status, 2);
});
