import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { V1Container } from "@kubernetes/client-node";
import { VERSION } from "@sallyport/core/version";
import { TOOLS_IMAGE } from "./given.ts";

const APPS = join(import.meta.dirname, "../apps");
/** Has Node, and is on every node that runs a sidecar. */
const NODE_IMAGE = `docker.io/sallyport/proxy:${VERSION}`;

/** A container that runs a program of apps/. */
export function app(name: string, program: string, ...args: readonly string[]): V1Container {
  const source = readFileSync(join(APPS, `${program}.ts`), "utf8");
  return {
    name,
    image: NODE_IMAGE,
    imagePullPolicy: "IfNotPresent",
    command: ["/opt/sallyport/node", "--input-type=module-typescript", "--eval", source, "--"],
    args: [...args],
  };
}

/** A container with a shell, curl and tar, as people's images have them. */
export function shell(name: string, script: string): V1Container {
  return {
    name,
    image: TOOLS_IMAGE,
    imagePullPolicy: "IfNotPresent",
    command: ["sh", "-euc", script],
  };
}

/** Waits, and ends at once when it is told to. */
export const idle = (name = "app") => shell(name, "trap exit TERM; sleep infinity & wait");

/** Says a line for each request that came back: `curl` as a person would type it, and no second try. */
export const fetchOnce = (name: string, url: string) =>
  shell(name, `curl --silent --show-error --fail --max-time 10 ${url}`);
