import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PREFIX = "sallyport-cluster-";

/** A folder for what this process runs; its name says whose it is, so that those of processes that were killed are found. */
export function ownFolder(): string {
  removeLeftFolders();
  return mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
}

function removeLeftFolders(): void {
  for (const name of readdirSync(tmpdir())) {
    const [, pid] = new RegExp(`^${PREFIX}(\\d+)-`).exec(name) ?? [];
    if (pid && !alive(Number(pid))) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH"; // another user's lives too
  }
}
