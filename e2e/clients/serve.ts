import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { NetworkNamespace } from "@sallyport/cli/lab/namespace";

/** Who no server need be root as; PostgreSQL refuses to be. */
export const NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"];

const START_MS = 20_000;

/**
 * Starts a server in the world; resolves when it has said that it is ready, on either output. It ends with the
 * namespace.
 */
export function serve(
  world: NetworkNamespace,
  argv: readonly string[],
  ready: RegExp,
): Promise<ChildProcess> {
  const child = world.spawn(argv, { stdio: ["ignore", "pipe", "pipe"] });
  const said: string[] = [];
  return new Promise((resolve, reject) => {
    const fail = (what: string) =>
      reject(new Error(`${argv.join(" ")}: ${what}; it said:\n${said.slice(-10).join("\n")}`));
    const timer = setTimeout(() => fail(`not ready after ${START_MS} ms`), START_MS);
    child.once("exit", (status, signal) => fail(`ended with ${status ?? signal}`));
    child.once("error", (error) => fail(error.message));
    for (const output of [child.stdout, child.stderr])
      if (output)
        createInterface(output).on("line", (line) => {
          if (said.length < 100) said.push(line);
          if (!ready.test(line)) return;
          clearTimeout(timer);
          resolve(child);
        });
  });
}
