import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const ROOT = "/sys/fs/cgroup";

export type CgroupVersion = "v1" | "v2";

export const cgroupVersion = (): CgroupVersion =>
  existsSync(join(ROOT, "cgroup.controllers")) ? "v2" : "v1";

/**
 * The folders of a group of that name, one in each hierarchy. On v1 it lies within the group of this process, whose limits
 * go on to hold; on v2 at the top, for a group that has processes gives its children no controllers.
 */
export function cgroupFolders(name: string): string[] {
  if (cgroupVersion() === "v2") return [join(ROOT, name)];
  return readFileSync("/proc/self/cgroup", "utf8")
    .trim()
    .split("\n")
    .map((line) => /^\d+:([^:]+):(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, controllers = "", path = "/"]) =>
      join(ROOT, controllers.replace(/^name=/, ""), path, name),
    )
    .filter((folder) => existsSync(dirname(folder)));
}

export async function makeCgroups(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    await mkdir(folder, { recursive: true });
    // A group of the cpuset controller starts without any CPU, and takes no process then.
    for (const file of ["cpuset.cpus", "cpuset.mems"])
      if (cgroupVersion() === "v1" && existsSync(join(folder, file)))
        await writeFile(join(folder, file), await readFile(join(dirname(folder), file)));
  }
}

/** Takes the groups away, the deepest first; processes that are being killed hold theirs for a moment. */
export async function removeCgroups(folders: readonly string[], seconds: number): Promise<void> {
  const deadline = performance.now() + seconds * 1_000;
  for (const folder of folders)
    for (;;) {
      try {
        await removeTree(folder);
        break;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await sleep(20);
      }
    }
}

async function removeTree(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  await rmdir(folder);
}
