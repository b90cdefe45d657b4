/**
 * Every test: those that need nothing run side by side, those that make network namespaces one file at a time, as root.
 * `test.ts PATTERN…` runs the files whose path contains one of the patterns.
 */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { join, resolve } from "node:path";
import { bundle } from "./bundle.ts";

const ROOT = resolve(import.meta.dirname, "..");
const ANYWHERE = "{core,init,proxy,controller,cli,bench,scripts}/test/**/*.test.ts";
const AS_ROOT = "e2e/*.test.ts";

const patterns = process.argv.slice(2);

function filesOf(glob: string): string[] {
  return globSync(glob, { cwd: ROOT })
    .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
    .sort();
}

/** node's own runner, so that its closing lines say what ran; true when all passed. */
function run(files: readonly string[], ...options: string[]): boolean {
  if (files.length === 0) return true;
  const { status } = spawnSync(
    process.execPath,
    ["--test", "--test-timeout=300000", ...options, ...files],
    { cwd: ROOT, stdio: "inherit" },
  );
  return status === 0;
}

const anywhere = filesOf(ANYWHERE);
const asRoot = filesOf(AS_ROOT);
if (anywhere.length + asRoot.length === 0) {
  console.error(
    patterns.length > 0 ? `no test file matches ${patterns.join(" ")}` : "no test files",
  );
  process.exit(1);
}

let passed = run(anywhere);
if (process.getuid?.() === 0) {
  if (asRoot.length > 0) {
    const dist = join(ROOT, "dist");
    await Promise.all((["controller", "init", "proxy"] as const).map((name) => bundle(name, dist)));
  }
  passed = run(asRoot, "--test-concurrency=1") && passed;
} else if (asRoot.length > 0) {
  console.log(
    `\nSKIPPED: ${asRoot.length} files in e2e/ make network namespaces, which needs root: sudo npm test`,
  );
}
process.exitCode = passed ? 0 : 1;
