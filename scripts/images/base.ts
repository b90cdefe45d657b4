import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, succeeds } from "./run.ts";

/** As the Dockerfile says. */
const BASE = "docker.io/library/debian:bookworm-slim";
const RELEASE = "bookworm";

/** Sees to it that buildah has the base: from its registry, or where that cannot be reached, made by debootstrap. */
export async function ensureBase(storage: readonly string[]): Promise<void> {
  const buildah = (...args: readonly string[]) => run("buildah", ...storage, ...args);
  if (await succeeds("buildah", ...storage, "inspect", "--type", "image", BASE)) return;
  try {
    await buildah("pull", "--quiet", BASE);
  } catch (pulling) {
    await bootstrap(buildah).catch((error: Error) => {
      throw new Error(`${(pulling as Error).message}\nnor can it be made: ${error.message}`);
    });
  }
}

async function bootstrap(buildah: (...args: readonly string[]) => Promise<string>) {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-base-"));
  try {
    await run("debootstrap", "--variant=minbase", RELEASE, folder, ...(await mirror()));
    const container = (await buildah("from", "scratch")).trim();
    await buildah("add", "--quiet", container, folder, "/");
    await buildah("config", "--cmd", "bash", container);
    await buildah("commit", "--quiet", "--rm", container, BASE);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Where this machine's own apt takes that release from; debootstrap knows where else. */
async function mirror(): Promise<string[]> {
  const targets = await run(
    "apt-get",
    ...["indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages"],
  ).catch(() => "");
  const line = targets.split("\n").find((each) => each.startsWith(`${RELEASE} `));
  return line === undefined ? [] : [line.slice(RELEASE.length + 1)];
}
