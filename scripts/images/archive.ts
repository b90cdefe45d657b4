import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { run } from "./run.ts";

/** What of an OCI image manifest is read here (OCI image-spec, image manifest). */
interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly Layer[];
}
export interface Layer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}
export interface ImageConfig {
  readonly config: {
    readonly User?: string;
    readonly Entrypoint?: readonly string[];
    readonly Labels?: Readonly<Record<string, string>>;
  };
}

const blob = (digest: string) => `blobs/${digest.replace(":", "/")}`;
const read = async (file: string, name: string): Promise<unknown> =>
  JSON.parse(await run("tar", "--extract", "--to-stdout", "--file", file, name));

async function manifestOf(file: string): Promise<Manifest> {
  const index = (await read(file, "index.json")) as { manifests: readonly { digest: string }[] };
  const digest = index.manifests[0]?.digest;
  if (digest === undefined) throw new Error(`${file} holds no image`);
  return (await read(file, blob(digest))) as Manifest;
}

/** The layers of the image in an OCI archive, the lowest first. */
export async function layersOf(file: string): Promise<readonly Layer[]> {
  return (await manifestOf(file)).layers;
}

export async function configOf(file: string): Promise<ImageConfig["config"]> {
  const { config } = await manifestOf(file);
  return ((await read(file, blob(config.digest))) as ImageConfig).config;
}

/** A layer's files, as a tar stream. */
async function* contents(file: string, { digest, mediaType }: Layer): AsyncGenerator<Buffer> {
  const args = ["--extract", "--to-stdout", "--file", file, blob(digest)];
  const { stdout } = spawn("tar", args, { stdio: ["ignore", "pipe", "inherit"] });
  yield* mediaType.endsWith("gzip") ? stdout.pipe(createGunzip()) : stdout;
}

/** How much the image takes on a node's disk, and how much of it a node fetches. */
export async function sizesOf(file: string): Promise<{ unpacked: number; fetched: number }> {
  let unpacked = 0;
  let fetched = 0;
  for (const layer of await layersOf(file)) {
    fetched += layer.size;
    for await (const chunk of contents(file, layer)) unpacked += chunk.length;
  }
  return { unpacked, fetched };
}

/** Lays the image's files out in the folder, with their owners where we are root. */
export async function unpack(file: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const layer of await layersOf(file)) {
    const tar = spawn("tar", ["--extract", "--directory", folder], {
      stdio: ["pipe", "inherit", "inherit"],
    });
    const ended = once(tar, "close");
    await pipeline(contents(file, layer), tar.stdin);
    const [status] = await ended;
    if (status !== 0) throw new Error(`tar could not unpack ${layer.digest} of ${file}`);
  }
}
