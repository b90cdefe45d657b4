import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { command } from "./command.ts";

/** What a container of the image is given unless it says otherwise (OCI image-spec, image configuration). */
export interface ImageDefaults {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly User?: string;
}

/** Packs a folder as an image of one layer: an OCI archive (image-spec, image layout) that bears the image's name. */
export async function packImage(
  name: string,
  root: string,
  defaults: ImageDefaults,
  file: string,
): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const layout = await mkdtemp(`${file}-`);
  try {
    const blobs = join(layout, "blobs", "sha256");
    await mkdir(blobs, { recursive: true });
    const keep = async (mediaType: string, path: string) => {
      const digest = createHash("sha256")
        .update(await readFile(path))
        .digest("hex");
      await rename(path, join(blobs, digest));
      const { size } = await stat(join(blobs, digest));
      return { mediaType, digest: `sha256:${digest}`, size };
    };
    const keepJson = async (mediaType: string, value: unknown) => {
      const path = join(layout, "value");
      await writeFile(path, JSON.stringify(value));
      return keep(mediaType, path);
    };

    const tar = join(layout, "layer.tar");
    await command("tar", "--create", "--file", tar, ...REPRODUCIBLE, "--directory", root, ".");
    const layer = await keep("application/vnd.oci.image.layer.v1.tar", tar);
    const config = await keepJson("application/vnd.oci.image.config.v1+json", {
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      os: "linux",
      config: defaults,
      rootfs: { type: "layers", diff_ids: [layer.digest] },
    });
    const manifest = await keepJson("application/vnd.oci.image.manifest.v1+json", {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config,
      layers: [layer],
    });
    await writeFile(join(layout, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
    await writeFile(
      join(layout, "index.json"),
      JSON.stringify({
        schemaVersion: 2,
        // By this containerd names what it imports.
        manifests: [{ ...manifest, annotations: { "io.containerd.image.name": name } }],
      }),
    );
    const unfinished = `${file}.${process.pid}`;
    await command("tar", "--create", "--file", unfinished, "--directory", layout, ".");
    await rename(unfinished, file);
  } finally {
    await rm(layout, { recursive: true, force: true });
  }
}

const REPRODUCIBLE = ["--sort=name", "--mtime=@0", "--numeric-owner"];
