import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export interface Source {
  /** The file's name, or `stdin`. */
  readonly name: string;
  readonly text: string;
}

/** `-` is the standard input; a folder is its manifests in the order of their names, as for kubectl, and no folder in it. */
export async function readSources(
  names: readonly string[],
  stdin: AsyncIterable<Buffer | string>,
): Promise<Source[]> {
  const sources: Source[] = [];
  for (const name of names)
    if (name === "-") sources.push({ name: "stdin", text: await textOf(stdin) });
    else
      for (const file of filesOf(name))
        sources.push({ name: file, text: readable(file, () => readFileSync(file, "utf8")) });
  return sources;
}

function filesOf(name: string): string[] {
  if (!readable(name, () => statSync(name)).isDirectory()) return [name];
  const files = readable(name, () => readdirSync(name)).filter((file) =>
    /\.(ya?ml|json)$/.test(file),
  );
  if (files.length === 0) throw new Error(`${name} holds no .yaml, .yml or .json`);
  return files.sort().map((file) => join(name, file));
}

/** A failure of the system, told as what it kept from being done. */
function readable<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file or folder" : (error as Error).message;
    throw new Error(`cannot read ${name}: ${why}`, { cause: error });
  }
}

async function textOf(stream: AsyncIterable<Buffer | string>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}
