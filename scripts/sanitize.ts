/**
 * The tests of the engine and of the sockets with their C code under AddressSanitizer and UndefinedBehaviorSanitizer: a read past a buffer, a use
 * after free or an overflow ends them. node-gyp-build takes the instrumented addon, which stands apart from the real
 * one, where PREBUILDS_ONLY is set.
 */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildAddon } from "../proxy/native/build.ts";

const ROOT = resolve(import.meta.dirname, "..");
const ADDON = join(ROOT, `proxy/native/prebuilds/linux-${process.arch}/node.napi.node`);

buildAddon({
  target: ADDON,
  flags: [
    "-O1",
    "-fno-omit-frame-pointer",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover",
  ],
});

/** Node itself is not instrumented, so the runtime has to be loaded before it. */
function runtime(): string {
  const { stdout } = spawnSync(process.env.CC ?? "cc", ["-print-file-name=libasan.so"], {
    encoding: "utf8",
  });
  return stdout.trim();
}

const { status } = spawnSync(
  process.execPath,
  [
    ...["--test", "--test-timeout=300000", "--test-concurrency=1"],
    ...globSync("proxy/test/{engine-*,http/native-wire}.test.ts", { cwd: ROOT }),
  ],
  {
    cwd: ROOT,
    stdio: "inherit",
    env: {
      ...process.env,
      PREBUILDS_ONLY: "1",
      LD_PRELOAD: runtime(),
      // Node keeps what it has allocated until it ends; leaks of ours show in the tests that count memory.
      ASAN_OPTIONS: "detect_leaks=0:halt_on_error=1:quarantine_size_mb=8",
      UBSAN_OPTIONS: "print_stacktrace=1",
    },
  },
);
process.exitCode = status ?? 1;
