import { createReadStream } from "node:fs";
import type { Recorded } from "@sallyport/core/replay";
import * as z from "zod";
import { BadInput, type Io } from "./io.ts";

/** What simulating needs of a record (core/src/record.ts); all else in it is let be. */
export const RecordLine = z.object({
  time: z.string(),
  namespace: z.string(),
  verdict: z.enum(["allow", "deny"]),
  reason: z.string(),
  would_be: z.string().optional(),
  rule: z.string().optional(),
  request: z.int().min(1).optional(),
  protocol: z.enum(["tls", "http", "http2", "opaque", "silent"]).optional(),
  name: z.string().optional(),
  name_source: z.enum(["sni", "host", "dns"]).optional(),
  external_name: z.string().optional(),
  invalid_name: z.string().optional(),
  resolved: z.array(z.string()).optional(),
  service: z.string().optional(),
  service_endpoints: z.array(z.string()).optional(),
  original_address: z.string(),
  original_port: z.int().min(1).max(65_535),
}) satisfies z.ZodType<Recorded>;
export type RecordLine = z.output<typeof RecordLine>;

/** A line longer than this is no record; it is not kept in memory either. */
const MAX_LINE = 1_048_576;

/** The record of a line, whatever a log collector has put before it; undefined where it holds none. */
export function parseRecord(line: string): RecordLine | undefined {
  const start = line.indexOf("{");
  if (start < 0) return undefined;
  try {
    return RecordLine.safeParse(JSON.parse(line.slice(start))).data;
  } catch {
    return undefined;
  }
}

/** The lines of these files, or of the standard input, one at a time; one that is too long is empty. */
export async function* linesOf(
  names: readonly string[],
  stdin: Io["stdin"],
): AsyncGenerator<string> {
  for (const name of names.length > 0 ? names : ["-"])
    try {
      yield* splitLines(name === "-" ? stdin : createReadStream(name));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      const why = code === "ENOENT" ? "there is no such file" : message;
      throw new BadInput([`cannot read ${name}: ${why}`]);
    }
}

export async function* splitLines(
  chunks: AsyncIterable<Buffer | string>,
  maxLine = MAX_LINE,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  let isTooLong = false;
  for await (const chunk of chunks) {
    const text = typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    const lines = text.split("\n");
    lines[0] = rest + lines[0];
    rest = lines.pop() ?? "";
    for (const line of lines) {
      yield isTooLong ? "" : line;
      isTooLong = false;
    }
    if (rest.length > maxLine) {
      rest = "";
      isTooLong = true;
    }
  }
  if (rest !== "" || isTooLong) yield isTooLong ? "" : rest;
}
