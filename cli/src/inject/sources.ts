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
        sources.push({ name: file, text: readFileSync(file, "utf8") });
  return sources;
}

function filesOf(name: string): string[] {
  if (!statSync(name).isDirectory()) return [name];
  const files = readdirSync(name).filter((file) => /\.(ya?ml|json)$/.test(file));
  if (files.length === 0) throw new Error(`${name} holds no .yaml, .yml or .json`);
  return files.sort().map((file) => join(name, file));
}

async function textOf(stream: AsyncIterable<Buffer | string>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}
