import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** What the document's commands are relative to. */
export const ROOT = resolve(import.meta.dirname, "../../..");
const DOCUMENT = join(ROOT, "docs/quick-start.md");

/** A heading's blocks of a kind, line by line. */
function linesUnder(heading: string, kind: "console" | "text"): string[] {
  const section = readFileSync(DOCUMENT, "utf8")
    .split(/^## /m)
    .find((each) => each.startsWith(`${heading}\n`));
  const blocks = [...(section ?? "").matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  const lines = blocks
    .filter(([, found]) => found === kind)
    .flatMap(([, , text = ""]) => text.trimEnd().split("\n"));
  if (lines.length === 0) throw new Error(`${DOCUMENT}: no ${kind} under "${heading}"`);
  return lines;
}

/** What somebody types who follows the quick start. */
export const commandsUnder = (heading: string): string[] => linesUnder(heading, "console");

/** What the quick start promises that they will read then. */
export const outputUnder = (heading: string): string[] => linesUnder(heading, "text");
