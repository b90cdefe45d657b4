import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pinnedVersion } from "../components.ts";
import type { Sources } from "../environment.ts";
import { requirePrograms } from "../programs.ts";
import { command } from "./command.ts";
import { packImage } from "./image-archive.ts";

/** An image's name, and the archive that bears it. */
export interface Image {
  readonly name: string;
  readonly file: string;
}

const REGISTRY = "docker.io/sallyport-test";

/** What the cluster itself needs. */
export async function clusterImages(from: Sources): Promise<{ pause: Image; coredns: Image }> {
  const paths = requirePrograms(["pause", "coredns"], from);
  const pack = async (program: "pause" | "coredns"): Promise<Image> => {
    const version = pinnedVersion(program);
    const name = `${REGISTRY}/${program}:${version}`;
    const file = join(from.cache, "test-images", `${program}-${version}.tar`);
    if (existsSync(file)) return { name, file };
    const root = await mkdtemp(join(tmpdir(), "sallyport-image-"));
    try {
      await copyFile(paths[program], join(root, program));
      await packImage(name, root, { Entrypoint: [`/${program}`] }, file);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
    return { name, file };
  };
  return { pause: await pack("pause"), coredns: await pack("coredns") };
}

/** What tests run in pods: a small Debian with what speaks on a network. */
export const TOOLS_IMAGE = `${REGISTRY}/tools:1`;

const TOOLS = [
  ...["ca-certificates", "curl", "iproute2", "netcat-openbsd", "procps", "python3"],
  "wget",
];
const RELEASE = "bookworm";
/** Nothing of it is read in a pod. */
const UNREAD = ["usr/share/doc", "usr/share/locale", "usr/share/man", "var/cache", "var/lib/apt"];

export async function toolsImage(from: Sources, say: (line: string) => void): Promise<Image> {
  const key = createHash("sha256")
    .update(JSON.stringify([RELEASE, TOOLS, UNREAD]))
    .digest("hex");
  const file = join(from.cache, "test-images", `tools-${key.slice(0, 12)}.tar`);
  if (existsSync(file)) return { name: TOOLS_IMAGE, file };
  say(`making ${TOOLS_IMAGE} with debootstrap …`);
  const root = await mkdtemp(join(tmpdir(), "sallyport-image-"));
  try {
    await command(
      ...(["debootstrap", "--variant=minbase", `--include=${TOOLS.join(",")}`] as const),
      ...[RELEASE, root],
    );
    for (const folder of UNREAD) await rm(join(root, folder), { recursive: true, force: true });
    await packImage(TOOLS_IMAGE, root, { Cmd: ["sh"], Env: [`PATH=${PATH}`] }, file);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
  return { name: TOOLS_IMAGE, file };
}

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
