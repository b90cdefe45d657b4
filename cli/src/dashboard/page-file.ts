import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { protectionOf } from "@sallyport/proxy/admin/page";
import { BadInput } from "../policy/io.ts";

/** Made by scripts/bundle.ts from cli/page/: one document, with its style and its script inside. */
const FILE = join(import.meta.dirname, "../../../dist/dashboard/page.html");

export interface PageFile {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

export function readPageFile(): PageFile {
  try {
    const body = readFileSync(FILE, "utf8");
    return { body, headers: protectionOf(body, createHash) };
  } catch (error) {
    throw new BadInput([
      `its page is not there: ${(error as Error).message}; npm run bundle makes it`,
    ]);
  }
}
