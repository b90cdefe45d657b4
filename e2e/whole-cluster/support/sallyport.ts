import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { givenCluster } from "./given.ts";
import { environmentOf, type Said } from "./kubectl.ts";

const MAIN = resolve(import.meta.dirname, "../../../cli/src/main.ts");

/** The command, as somebody types it. */
export function sallyport(...args: readonly string[]): Promise<Said> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      [MAIN, ...args],
      {
        encoding: "utf8",
        env: environmentOf(givenCluster()),
        maxBuffer: 64 << 20,
        timeout: 120_000,
      },
      (error, stdout, stderr) =>
        done({ status: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    );
  });
}
