import { readFileSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";

const PEERS = resolve(import.meta.dirname, "../../peers");

/** Where a contender listens, where it leads, and the folder that is its own. */
export interface Place {
  readonly port: number;
  readonly destination: string;
  readonly folder: string;
}

/** Puts bench/peers/NAME, its `${PORT}`, `${DESTINATION}`, `${FOLDER}` and others filled in, into the contender's folder. */
export function peerFile(
  name: string,
  { port, destination, folder }: Place,
  others: Readonly<Record<string, string>> = {},
): string {
  const values = new Map([
    ["PORT", String(port)],
    ["DESTINATION", destination],
    ["FOLDER", folder],
    ...Object.entries(others),
  ]);
  const file = join(folder, basename(name));
  const text = readFileSync(join(PEERS, name), "utf8");
  writeFileSync(
    file,
    text.replaceAll(/\$\{([A-Z]+)\}/g, (whole, key) => values.get(key) ?? whole),
  );
  return file;
}
