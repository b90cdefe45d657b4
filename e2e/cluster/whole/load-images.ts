import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import type { Box } from "./box.ts";

/** Brings archives (OCI or Docker) into the node's containerd, by the names that they bear. */
export async function loadImages(box: Box, files: readonly string[]): Promise<void> {
  for (const file of files) {
    const [program, ...args] = box.enter("ctr", "--namespace", "k8s.io", "images", "import", "-");
    // By its descriptor: the box need not see the file's folder.
    const archive = openSync(file, "r");
    const importing = spawn(program, args, { stdio: [archive, "ignore", "pipe"] });
    closeSync(archive);
    const said: Buffer[] = [];
    importing.stderr?.on("data", (chunk) => said.push(chunk));
    const [status] = await once(importing, "close");
    if (status !== 0)
      throw new Error(`containerd does not take ${file}: ${Buffer.concat(said).toString().trim()}`);
  }
}
