import { readFileSync } from "node:fs";
import { understand } from "@sallyport/core/skew";
import { VERSION } from "@sallyport/core/version";
import * as z from "zod";
import { PROXY_CONFIG_ENV, ProxyConfig } from "./contract.ts";

/** The configuration cannot be used; the message says where it came from and lists every mistake with its path. */
export class ConfigError extends Error {}

/** A configuration, and the paths of keys in it that only another version knows. */
export interface ReadConfig {
  readonly config: ProxyConfig;
  readonly ignored: readonly string[];
}

export function parseConfig(text: string, source: string): ReadConfig {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`${source} is not JSON: ${(error as Error).message}`);
  }
  const read = understand(ProxyConfig, json, ["policy"]);
  if ("error" in read) {
    const { madeBy } = Object(json) as { madeBy?: unknown };
    const by =
      typeof madeBy === "string" && madeBy !== VERSION ? ` of ${VERSION}, but of ${madeBy}` : "";
    throw new ConfigError(
      `${source} is not a sidecar configuration${by}:\n${z.prettifyError(read.error)}`,
    );
  }
  return { config: read.data, ignored: read.ignored };
}

export interface ConfigFile extends ReadConfig {
  /** Its text, to know a change by. */
  readonly content: string;
}

export function readConfigFile(path: string): ConfigFile {
  const content = readText(path);
  return { ...parseConfig(content, path), content };
}

/** From the environment's JSON text; without any, every default: audit, all ports as documented. */
export function configFromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): ReadConfig {
  return parseConfig(env[PROXY_CONFIG_ENV] ?? "{}", PROXY_CONFIG_ENV);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError(`cannot read ${path}: ${(error as Error).message}`);
  }
}
