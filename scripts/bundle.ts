/**
 * `bundle.ts [FOLDER]` makes what goes into the images, under dist/ unless told: one compact CommonJS file per program,
 * without node_modules, and the addon beside the sidecar's. A sidecar run from its sources takes five times as long to
 * start and twice the memory.
 */
import { copyFile, mkdir, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { ADDON } from "../proxy/native/build.ts";

const ROOT = resolve(import.meta.dirname, "..");

/** Each program has a folder of its own, as it has an image of its own. */
const ENTRIES = {
  proxy: "proxy/src/main.ts",
  init: "init/src/main.ts",
  controller: "controller/src/main.ts",
} as const;
export type Program = keyof typeof ENTRIES;

/** Writes `FOLDER/NAME/NAME.cjs` anew and gives the path of `FOLDER/NAME`. */
export async function bundle(name: Program, folder: string): Promise<string> {
  const target = join(folder, name);
  await rm(target, { recursive: true, force: true });
  await build({
    entryPoints: [join(ROOT, ENTRIES[name])],
    outfile: join(target, `${name}.cjs`),
    bundle: true,
    // Not identifiers: esbuild's keepNames gives each closure its name when it is made, once a connection for many.
    minifyWhitespace: true,
    minifySyntax: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    // proxy/native/addon.ts looks for the addon beside itself; in a bundle that is beside the bundle.
    define: { "import.meta.dirname": "__dirname" },
    logLevel: "warning",
  });
  if (name === "proxy") {
    const addon = join(target, "build/Release/sallyport.node");
    await mkdir(dirname(addon), { recursive: true });
    await copyFile(ADDON, addon);
  }
  return target;
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quiet: { type: "boolean" } },
  });
  for (const name of Object.keys(ENTRIES) as Program[]) {
    const target = await bundle(name, resolve(positionals[0] ?? join(ROOT, "dist")));
    if (!values.quiet) console.log(target);
  }
}
