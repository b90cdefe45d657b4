import { SidecarLine } from "@sallyport/core/delivery";
import * as z from "zod";
import { parseStrictJson } from "../strict-json.ts";

const KNOWN: readonly unknown[] = SidecarLine.options.map(({ shape }) => shape.type.value);

/**
 * An Error says what is wrong with it, in one line. Undefined of a kind that only a newer sidecar knows: a controller of
 * before, after a rollback, serves it all the same.
 */
export function readSidecarLine(bytes: Buffer): SidecarLine | Error | undefined {
  const json = parseStrictJson(bytes);
  if (json instanceof Error) return json;
  const { type } = (json ?? {}) as { readonly type?: unknown };
  if (typeof type === "string" && !KNOWN.includes(type)) return undefined;
  const { data, error } = SidecarLine.safeParse(json);
  if (data) return data;
  return new Error(z.prettifyError(error).replaceAll(/\s+/g, " ").slice(0, 512));
}
