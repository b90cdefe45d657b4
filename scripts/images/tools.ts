import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ensureBase } from "./base.ts";
import { run, succeeds } from "./run.ts";

export const TOOLS = ["docker", "podman", "buildah"] as const;
export type ToolName = (typeof TOOLS)[number];

export interface ImageToBuild {
  /** The Dockerfile's. */
  readonly target: string;
  readonly name: string;
  readonly context: string;
  readonly version: string;
}

/** What builds images here; each of the three knows the same Dockerfile. */
export interface Tool {
  readonly name: ToolName;
  build(image: ImageToBuild): Promise<void>;
  /** As an OCI archive, which `docker load`, `podman load` and `ctr images import` take. */
  archive(image: string, file: string): Promise<void>;
  push(image: string): Promise<void>;
}

const common = ({ target, name, version }: ImageToBuild) =>
  ["--target", target, "--build-arg", `VERSION=${version}`, "--tag", name] as const;

const docker = (): Tool => ({
  name: "docker",
  build: async (image) => void (await run("docker", "build", ...common(image), image.context)),
  archive: async (image, file) => void (await run("docker", "save", "--output", file, image)),
  push: async (image) => void (await run("docker", "push", image)),
});

const podman = (): Tool => ({
  name: "podman",
  build: async (image) =>
    void (await run("podman", "build", "--timestamp", "0", ...common(image), image.context)),
  archive: async (image, file) =>
    void (await run("podman", "save", "--format", "oci-archive", "--output", file, image)),
  push: async (image) => void (await run("podman", "push", image)),
});

/** With a storage of its own, which can be thrown away; and where no registry can be reached, a base made here. */
async function buildah(cache: string): Promise<Tool> {
  const storage = await buildahStorage(join(cache, "buildah"));
  const call = (...args: readonly string[]) => run("buildah", ...storage, ...args);
  return {
    name: "buildah",
    async build(image) {
      await ensureBase(storage);
      // Inside another container there may be no more namespaces and no network to give; chroot needs neither.
      const isolated = ["--isolation", "chroot", "--network", "host"];
      // The same sources give the same digests: times are zero.
      const repeatable = ["--layers", "--timestamp", "0", "--pull=never"];
      await call("build", ...isolated, ...repeatable, ...common(image), image.context);
    },
    archive: async (image, file) =>
      void (await call("push", "--quiet", image, `oci-archive:${file}:${image}`)),
    push: async (image) => void (await call("push", image)),
  };
}

/** Overlays where the kernel lets them be stacked here, else vfs: copies, five times as large and as slow. */
async function buildahStorage(folder: string): Promise<readonly string[]> {
  for (const driver of ["overlay", "vfs"]) {
    const root = join(folder, driver);
    await mkdir(root, { recursive: true });
    const storage = ["--root", root, "--runroot", `${root}.run`, "--storage-driver", driver];
    if (await succeeds("buildah", ...storage, "info")) return storage;
  }
  throw new Error(`buildah can store images under ${folder} neither as overlays nor as copies`);
}

/** The tool that is asked for, or the first that is here and answers. */
export async function findTool(cache: string, asked?: ToolName): Promise<Tool> {
  const answers = (name: ToolName) =>
    succeeds(name, ...(name === "docker" ? ["version"] : ["--version"]));
  for (const name of asked ? [asked] : TOOLS) {
    if (!(await answers(name))) continue;
    return name === "docker" ? docker() : name === "podman" ? podman() : buildah(cache);
  }
  throw new NoTool(
    `images are built by ${asked ?? TOOLS.join(", ")}, which is not here, or does not answer`,
  );
}

export class NoTool extends Error {}
