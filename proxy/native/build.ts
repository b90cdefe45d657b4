import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

const SOURCES = import.meta.dirname;
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

/** Compiles the addon where it is missing or older than its sources; true where it did. Needs a C compiler. */
export function buildAddon({
  cc = process.env.CC ?? "cc",
  target = ADDON,
  flags = ["-O2"],
}: {
  cc?: string;
  target?: string;
  flags?: readonly string[];
} = {}): boolean {
  const files = globSync("{engine,sockets}/*.{c,h}", { cwd: SOURCES }).map((name) =>
    join(SOURCES, name),
  );
  const newest = Math.max(...files.map((file) => statSync(file).mtimeMs));
  if (existsSync(target) && statSync(target).mtimeMs > newest) return false;
  mkdirSync(dirname(target), { recursive: true });
  const unfinished = `${target}.${process.pid}`;
  const { status, error, stderr } = spawnSync(
    cc,
    [
      ...["-shared", "-fPIC", "-g", "-std=gnu11", "-Wall", "-Wextra", "-Werror", ...flags],
      ...["-fvisibility=hidden", "-DNAPI_VERSION=9", "-isystem", headers(), "-pthread"],
      ...["-o", unfinished, ...files.filter((file) => file.endsWith(".c"))],
    ],
    { encoding: "utf8" },
  );
  if (error)
    throw new Error(`cannot compile the addon: ${error.message}; install a C compiler (gcc)`);
  if (status !== 0) throw new Error(`cannot compile the addon: ${cc} says\n${stderr}`);
  renameSync(unfinished, target);
  return true;
}
