import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Name → text, readable by their owner alone. */
export async function writeSecretFiles(
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const [name, text] of Object.entries(files))
    await writeFile(join(folder, name), text, { mode: 0o600 });
}
