import { readFileSync } from "node:fs";
import * as z from "zod";
import { InjectionOptions } from "./admission/options.ts";
import { Misuse } from "./flags.ts";

/** From a JSON file, or every default. The message names the file and every mistake with its path. */
export function readConfig(path: string | undefined): InjectionOptions {
  const parsed = InjectionOptions.safeParse(path === undefined ? {} : readJson(path));
  if (!parsed.success)
    throw new Misuse(
      `${path} is not a controller configuration:\n${z.prettifyError(parsed.error)}`,
    );
  return parsed.data;
}

function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new Misuse(`cannot read the configuration: ${(error as Error).message}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Misuse(`${path} is not JSON: ${(error as Error).message}`);
  }
}
