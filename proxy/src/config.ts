import { readFileSync } from "node:fs";
import * as z from "zod";
import { PROXY_CONFIG_ENV, ProxyConfig } from "./contract.ts";

/** The configuration cannot be used; the message says where it came from and lists every mistake with its path. */
export class ConfigError extends Error {}

export function parseConfig(text: string, source: string): ProxyConfig {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`${source} is not JSON: ${(error as Error).message}`);
  }
  const result = ProxyConfig.safeParse(json);
  if (!result.success)
    throw new ConfigError(
      `${source} is not a sidecar configuration:\n${z.prettifyError(result.error)}`,
    );
  return result.data;
}

export interface ConfigFile {
  readonly config: ProxyConfig;
  /** Its text, to know a change by. */
  readonly content: string;
}

export function readConfigFile(path: string): ConfigFile {
  const content = readText(path);
  return { config: parseConfig(content, path), content };
}

/** From the environment's JSON text; without any, every default: audit, all ports as documented. */
export function configFromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): ProxyConfig {
  return parseConfig(env[PROXY_CONFIG_ENV] ?? "{}", PROXY_CONFIG_ENV);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError(`cannot read ${path}: ${(error as Error).message}`);
  }
}
