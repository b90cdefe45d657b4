import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./quick-start.ts";

/** A block of commands, and what the document promises that will be read then. */
export interface Step {
  readonly commands: readonly string[];
  readonly promised: readonly string[];
}

export interface Section {
  readonly heading: string;
  readonly steps: readonly Step[];
}

const BLOCK = /^```console\n(.*?)^```$(?:\n+^```text\n(.*?)^```$)?/gms;

/** docs/tutorial.md, from heading to heading. */
export function sections(): Section[] {
  const text = readFileSync(join(ROOT, "docs/tutorial.md"), "utf8");
  const found = text.split(/^## /m).map((section) => ({
    heading: section.slice(0, section.indexOf("\n")),
    steps: [...section.matchAll(BLOCK)].map(([, commands = "", promised = ""]) => ({
      commands: linesOf(commands),
      promised: linesOf(promised),
    })),
  }));
  return found.filter(({ steps }) => steps.length > 0);
}

const linesOf = (block: string) => block.split("\n").filter(Boolean);

/** The promised lines that are not among what was printed; spaces are as wide as they like, `…` is anything. */
export function unkept(promised: readonly string[], printed: string): string[] {
  const lines = printed.split("\n").map(plain);
  return promised.filter((line) => {
    const [first = "", ...rest] = plain(line).split("…").map(escaped);
    const pattern = new RegExp(`^${[first, ...rest].join(".*")}$`);
    return !lines.some((each) => pattern.test(each));
  });
}

const plain = (line: string) => line.trim().replaceAll(/\s+/g, " ");
const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
