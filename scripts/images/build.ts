import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import {
  copyFile,
  link,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  stat,
  utimes,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { bundle } from "../bundle.ts";
import { findTool, type Tool, type ToolName } from "./tools.ts";

const ROOT = resolve(import.meta.dirname, "../..");

export const IMAGES = ["proxy", "init", "controller"] as const;
export type ImageName = (typeof IMAGES)[number];
export const REGISTRY = "docker.io/sallyport";

export interface BuiltImage {
  readonly image: ImageName;
  /** `docker.io/sallyport/proxy:0.1.0`; the archive bears it, so that importing gives this name. */
  readonly name: string;
  /** An OCI archive. */
  readonly file: string;
  readonly bytes: number;
}

export interface ImagesToBuild {
  /** `~/.cache/sallyport`: the archives are kept in its `images`, by what they are made from. */
  readonly cache: string;
  readonly tag: string;
  readonly registry?: string;
  readonly only?: readonly ImageName[];
  readonly tool?: ToolName;
  /** Build even what is kept, so that the tool itself has it too. */
  readonly fresh?: boolean;
}

/** How many archives of an image are kept: one for each of a few checkouts, or branches. */
const KEPT = 3;

/**
 * Archives of the images as the sources are now, from the compiled addon and the Dockerfile. What has not changed since
 * is not built again.
 */
export async function buildImages(wanted: ImagesToBuild): Promise<readonly BuiltImage[]> {
  const archives = join(wanted.cache, "images");
  await mkdir(archives, { recursive: true });
  const context = await mkdtemp(join(tmpdir(), "sallyport-images-"));
  try {
    await stage(context);
    let tool: Promise<Tool> | undefined;
    const built: BuiltImage[] = [];
    for (const image of wanted.only ?? IMAGES) {
      const name = `${wanted.registry ?? REGISTRY}/${image}:${wanted.tag}`;
      const file = join(archives, `${image}-${keyOf(image, name, context)}.tar`);
      if (existsSync(file) && !wanted.fresh) {
        const now = new Date();
        await utimes(file, now, now);
      } else {
        tool ??= findTool(wanted.cache, wanted.tool);
        await make(await tool, { target: image, name, context, version: wanted.tag }, file);
        await forgetOld(archives, image);
      }
      built.push({ image, name, file, bytes: statSync(file).size });
    }
    return built;
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

/** What the Dockerfile copies, and nothing else: a `dist/` that somebody else writes meanwhile plays no part. */
async function stage(context: string): Promise<void> {
  for (const image of IMAGES) await bundle(image, join(context, "dist"));
  const node = globSync("node_modules/node-linux-*/bin/node", { cwd: ROOT });
  for (const path of ["Dockerfile", "scripts/images/files.sh", ...node]) {
    const target = join(context, path);
    await mkdir(dirname(target), { recursive: true });
    await link(join(ROOT, path), target).catch(() => copyFile(join(ROOT, path), target));
  }
}

/** Changes whenever what the image holds may change; the base is taken to be what its tag said when it was fetched. */
function keyOf(image: ImageName, name: string, context: string): string {
  const files = (pattern: string, folder: string) =>
    globSync(pattern, { cwd: folder, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  const hash = createHash("sha256").update(name);
  for (const file of [
    ...files("{Dockerfile,scripts/**}", context),
    ...files(`dist/${image}/**`, context),
    // One version of Node has one binary; its manifest is read a thousand times as fast.
    ...files("node_modules/node-linux-*/package.json", ROOT),
  ])
    hash.update(basename(file)).update(readFileSync(file));
  return hash.digest("hex").slice(0, 16);
}

async function make(tool: Tool, image: Parameters<Tool["build"]>[0], file: string): Promise<void> {
  const unfinished = `${file}.${process.pid}`;
  try {
    await tool.build(image);
    await tool.archive(image.name, unfinished);
    await rename(unfinished, file);
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function forgetOld(archives: string, image: ImageName): Promise<void> {
  const files = (await readdir(archives))
    .filter((file) => file.startsWith(`${image}-`) && file.endsWith(".tar"))
    .map((file) => join(archives, file));
  const aged = await Promise.all(
    files.map(async (file) => ({ file, used: (await stat(file)).mtimeMs })),
  );
  for (const { file } of aged.toSorted((a, b) => b.used - a.used).slice(KEPT)) await rm(file);
}
