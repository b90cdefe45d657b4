/**
 * Every test: those that need nothing run side by side; those that talk to a real Kubernetes API server share one, where
 * its binaries are; those that make network namespaces run one file at a time, as root. What needs a whole cluster is
 * `npm run e2e`. `test.ts PATTERN…` runs the files whose path contains one of the patterns.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { join, resolve } from "node:path";
import { startForTests } from "../e2e/cluster/for-tests.ts";
import { bundle, bundleDashboard } from "./bundle.ts";

const ROOT = resolve(import.meta.dirname, "..");
const ANYWHERE = "{core,init,proxy,controller,cli,bench,scripts}/test/**/*.test.ts";
const WITH_API_SERVER = "e2e/api-server/*.test.ts";
const AS_ROOT = "e2e/*.test.ts";

const patterns = process.argv.slice(2);

function filesOf(glob: string): string[] {
  return globSync(glob, { cwd: ROOT })
    .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
    .sort();
}

/** node's own runner, so that its closing lines say what ran; true when all passed. */
async function run(
  files: readonly string[],
  options: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  if (files.length === 0) return true;
  const child = spawn(process.execPath, ["--test", "--test-timeout=300000", ...options, ...files], {
    cwd: ROOT,
    stdio: "inherit",
    env: { ...process.env, ...environment },
  });
  const [status] = await once(child, "exit");
  return status === 0;
}

async function runWithApiServer(files: readonly string[]): Promise<boolean> {
  if (files.length === 0) return true;
  const { environment, skipped, stop } = await startForTests();
  if (skipped) console.log(`\nSKIPPED: ${files.length} files in e2e/api-server/: ${skipped}`);
  try {
    return skipped !== undefined || (await run(files, ["--test-concurrency=1"], environment));
  } finally {
    await stop();
  }
}

const anywhere = filesOf(ANYWHERE);
const withApiServer = filesOf(WITH_API_SERVER);
const asRoot = filesOf(AS_ROOT);
if (anywhere.length + withApiServer.length + asRoot.length === 0) {
  console.error(
    patterns.length > 0 ? `no test file matches ${patterns.join(" ")}` : "no test files",
  );
  process.exit(1);
}

let passed = await run(anywhere);
const isRoot = process.getuid?.() === 0;
if (withApiServer.length + (isRoot ? asRoot.length : 0) > 0) {
  const dist = join(ROOT, "dist");
  await Promise.all([
    ...(["controller", "init", "proxy"] as const).map((name) => bundle(name, dist)),
    bundleDashboard(dist),
  ]);
}
passed = (await runWithApiServer(withApiServer)) && passed;
if (isRoot) {
  passed = (await run(asRoot, ["--test-concurrency=1"])) && passed;
} else if (asRoot.length > 0) {
  console.log(
    `\nSKIPPED: ${asRoot.length} files in e2e/ make network namespaces, which needs root: sudo npm test`,
  );
}
process.exitCode = passed ? 0 : 1;
