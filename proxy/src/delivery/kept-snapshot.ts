import { readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Basis, ControllerLine } from "@sallyport/core/delivery";
import { PolicySnapshot } from "@sallyport/core/snapshot";
import * as z from "zod";
import { codeOf } from "./failure.ts";

/** A snapshot that has been in force, as it is kept for the next start. */
export interface KeptSnapshot {
  readonly revision: string;
  readonly basis: Basis;
  /** When it came into force: milliseconds since the epoch. */
  readonly appliedMs: number;
  readonly snapshot: PolicySnapshot;
}

const FILE = "policy.json";

/** The last one that was kept; undefined where there is none, or a text that says why it cannot be used. */
export function readKept(folder: string): KeptSnapshot | string | undefined {
  const file = join(folder, FILE);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (codeOf(error as Error) === "ENOENT") return undefined;
    return `cannot read ${file}: ${codeOf(error as Error)}`;
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return `${file} is not JSON: ${(error as Error).message}`;
  }
  const line = ControllerLine.safeParse(json);
  if (!line.success || line.data.type !== "snapshot") return `${file} holds no snapshot`;
  const { revision, basis, snapshot, appliedMs } = line.data;
  const read = PolicySnapshot.safeParse(snapshot);
  if (!read.success) return `${file}:\n${z.prettifyError(read.error)}`;
  return { revision, basis, snapshot: read.data, appliedMs: Number(appliedMs) || 0 };
}

/**
 * Keeps the newest, one write at a time and none that somebody waits for: a reader finds the whole of one or of the other.
 * What a node's crash leaves may be half a file; then the controllers are asked as at a first start.
 */
export class SnapshotKeeper {
  readonly #file: string;
  readonly #trouble: (problem: string) => void;
  #next: KeptSnapshot | undefined;
  #writing: Promise<void> | undefined;

  constructor(folder: string, trouble: (problem: string) => void) {
    this.#file = join(folder, FILE);
    this.#trouble = trouble;
  }

  keep(snapshot: KeptSnapshot): void {
    this.#next = snapshot;
    this.#writing ??= this.#write();
  }

  /** Resolves when what was to be kept is kept, or could not be. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    const unfinished = `${this.#file}.new`;
    for (let next = this.#taken(); next; next = this.#taken())
      try {
        const text = JSON.stringify({ type: "snapshot", ...next });
        await writeFile(unfinished, text, { mode: 0o600 });
        await rename(unfinished, this.#file);
      } catch (error) {
        this.#trouble(
          `the snapshot in force cannot be kept in ${this.#file}: ${codeOf(error as Error)}`,
        );
      }
    this.#writing = undefined;
  }

  #taken(): KeptSnapshot | undefined {
    const next = this.#next;
    this.#next = undefined;
    return next;
  }
}
