import { SidecarLine } from "@sallyport/core/delivery";
import * as z from "zod";
import { parseStrictJson } from "../strict-json.ts";

/** An Error says what is wrong with it, in one line. */
export function readSidecarLine(bytes: Buffer): SidecarLine | Error {
  const json = parseStrictJson(bytes);
  if (json instanceof Error) return json;
  const { data, error } = SidecarLine.safeParse(json);
  if (data) return data;
  return new Error(z.prettifyError(error).replaceAll(/\s+/g, " ").slice(0, 512));
}
