/**
 * `bundle.ts [FOLDER]` makes what goes into the images, under dist/ unless told: one compact CommonJS file per program,
 * without node_modules, and beside the sidecar's the addon and the admin page; and the page of the dashboard. A sidecar run
 * from its sources takes five times as long to start and twice the memory.
 */
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
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
    await writeFile(join(target, "page.html"), await page("proxy/page"));
  }
  return target;
}

/** The page of `sallyport dashboard` (cli/src/dashboard/page-file.ts), of no program's image. */
export async function bundleDashboard(folder: string): Promise<string> {
  const target = join(folder, "dashboard");
  await mkdir(target, { recursive: true });
  await writeFile(join(target, "page.html"), await page("cli/page"));
  return target;
}

/** A page as one document: its page.html in the frame that all have, with its style and its script inside. */
async function page(of: string): Promise<string> {
  const folder = join(ROOT, of);
  const built = await build({
    entryPoints: [join(folder, "main.ts"), join(folder, "page.css")],
    bundle: true,
    minify: true,
    target: "es2022",
    format: "iife",
    outdir: folder,
    write: false,
    logLevel: "warning",
  });
  const text = (end: string) =>
    built.outputFiles.find(({ path }) => path.endsWith(end))?.text ?? "";
  const read = (path: string) => readFile(join(ROOT, path), "utf8");
  const frame = await read("proxy/page/frame.html");
  const html = await read(`${of}/page.html`);
  // Functions: a replacement's own `$` would mean something.
  return frame
    .replace("<!-- page -->\n", () => html)
    .replace("<!-- style -->", () => `<style>${text(".css").trim()}</style>`)
    .replace("<!-- script -->", () => `<script>${text(".js").trim()}</script>`);
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
  const dashboard = await bundleDashboard(resolve(positionals[0] ?? join(ROOT, "dist")));
  if (!values.quiet) console.log(dashboard);
}
