import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Bed } from "./bed.ts";
import { serve } from "./serve.ts";

/** A request as it has arrived. */
export interface Arrived {
  /** Counts up from 1: the connection it came on. */
  readonly connection: number;
  /** `1.0`, `1.1` */
  readonly version: string;
  readonly method: string;
  readonly target: string;
  /** Without its port. */
  readonly host: string;
  /** Names and values by turns, as they were written. */
  readonly headers: readonly string[];
}

/** http-origin-main.ts in the world of a bed, on these ports of every address, and what has arrived there. */
export class Origin {
  readonly #arrived: Arrived[] = [];
  /** What it shows below /files/ and /git/. */
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async start({ world, folder }: Bed, ports: readonly number[] = [80]): Promise<Origin> {
    const origin = new Origin(folder);
    const main = join(import.meta.dirname, "http-origin-main.ts");
    const argv = [process.execPath, main, folder, ...ports.map(String)];
    const child = await serve(world, argv, /^ready$/);
    if (child.stdout)
      createInterface(child.stdout).on("line", (line) => origin.#arrived.push(JSON.parse(line)));
    return origin;
  }

  /** The requests to this host, in the order of their coming. */
  arrivedAt(host: string): readonly Arrived[] {
    return this.#arrived.filter((request) => request.host === host);
  }
}

/** The values of a field, by its name in lower case. */
export function valuesOf({ headers }: Arrived, name: string): readonly string[] {
  return headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === name);
}
