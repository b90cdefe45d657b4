import { after, before } from "node:test";
import { lacking } from "./given.ts";
import { kubectl } from "./kubectl.ts";

/** How pods come under Sallyport: the workloads that ask for it, or all but those that ask not to. */
export const ENABLED = { "sallyport.dev/injection": "enabled" };
export const ALL = { "sallyport.dev/injection": "all" };

/** A namespace for the tests of this file: empty when they begin, gone some time after they have ended. */
export function ownNamespace(name: string, labels: Readonly<Record<string, string>> = {}): string {
  before(async () => {
    if (lacking) return;
    await kubectl("delete", "namespace", name, "--ignore-not-found");
    await kubectl("create", "namespace", name);
    const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    if (pairs.length > 0) await kubectl("label", "namespace", name, ...pairs);
  });
  after(async () => {
    if (!lacking) await kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found");
  });
  return name;
}
