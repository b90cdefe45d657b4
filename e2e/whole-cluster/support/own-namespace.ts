import { execFileSync } from "node:child_process";
import { after } from "node:test";
import { givenCluster, lacking } from "./given.ts";
import { environmentOf, kubectl } from "./kubectl.ts";

/** How pods come under Sallyport: the workloads that ask for it, or all but those that ask not to. */
export const ENABLED = { "sallyport.dev/injection": "enabled" };
export const ALL = { "sallyport.dev/injection": "all" };

/**
 * A namespace for the tests of this file: empty when this returns, gone some time after they have ended. At once and in no
 * `before`: at the top of a file, those run side by side.
 */
export function ownNamespace(name: string, labels: Readonly<Record<string, string>> = {}): string {
  if (lacking) return name;
  run("delete", "namespace", name, "--ignore-not-found", "--timeout=120s");
  run("create", "namespace", name);
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  if (pairs.length > 0) run("label", "namespace", name, ...pairs);
  after(() => kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found"));
  return name;
}

function run(...args: readonly string[]): void {
  const cluster = givenCluster();
  execFileSync(cluster.kubectl, args, {
    env: environmentOf(cluster),
    stdio: ["ignore", "ignore", "inherit"],
  });
}
