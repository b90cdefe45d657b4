import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

const SOURCE = join(import.meta.dirname, "original_destination.c");
export const ADDON = join(import.meta.dirname, "build/Release/sallyport.node");

/** Node's own headers, which stand beside the binary that runs this. */
function headers(): string {
  const include = join(dirname(process.execPath), "../include/node");
  if (!existsSync(join(include, "node_api.h")))
    throw new Error(
      `${process.execPath} has no headers at ${include}: run this by npm, after npm ci`,
    );
  return include;
}

/** Compiles the addon where it is missing or older than its source; true where it did. Needs a C compiler. */
export function buildAddon({ cc = process.env.CC ?? "cc" } = {}): boolean {
  if (existsSync(ADDON) && statSync(ADDON).mtimeMs > statSync(SOURCE).mtimeMs) return false;
  mkdirSync(dirname(ADDON), { recursive: true });
  const unfinished = `${ADDON}.${process.pid}`;
  const { status, error, stderr } = spawnSync(
    cc,
    [
      ...["-shared", "-fPIC", "-O2", "-g", "-std=gnu11", "-Wall", "-Wextra", "-Werror"],
      ...["-fvisibility=hidden", "-DNAPI_VERSION=9", "-isystem", headers()],
      ...["-o", unfinished, SOURCE],
    ],
    { encoding: "utf8" },
  );
  if (error)
    throw new Error(`cannot compile the addon: ${error.message}; install a C compiler (gcc)`);
  if (status !== 0) throw new Error(`cannot compile the addon: ${cc} says\n${stderr}`);
  renameSync(unfinished, ADDON);
  return true;
}
