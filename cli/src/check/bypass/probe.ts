import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PORTS } from "@sallyport/proxy/contract";
import * as z from "zod";
import type { Attempt, Findings, Task } from "./attempt.ts";

/** The arguments by which Node, in a container that has nothing else, runs the probe. */
export function probeArguments(attempts: readonly Attempt[]): string[] {
  const text = readFileSync(join(import.meta.dirname, "probe-main.ts"), "utf8");
  const task: Task = { attempts, adminPort: PORTS.admin };
  return ["--no-warnings", "--input-type=module-typescript", "--eval", text, JSON.stringify(task)];
}

const Text = z.string().max(4_096);
const Said = z.looseObject({
  seen: z.array(
    z.looseObject({
      id: Text,
      outcome: z.enum(["connected", "answered", "silent", "failed"]),
      error: Text.optional(),
      heard: Text.optional(),
      status: z.int().optional(),
      record: z
        .looseObject({
          verdict: z.enum(["allow", "deny"]),
          reason: Text,
          would_be: Text.optional(),
          rule: Text.optional(),
          dialled_address: Text.optional(),
        })
        .optional(),
    }),
  ),
  recordsRead: z.boolean(),
  hasIpv6: z.boolean(),
  capabilities: z.looseObject({ effective: Text, bounding: Text }),
  noNewPrivileges: z.boolean(),
  uid: z.int(),
  gid: z.int(),
});

/** What the probe has said; an Error where that is none of its words. */
export function readFindings(said: unknown): Findings | Error {
  const read = Said.safeParse(said);
  return read.success ? read.data : new Error(z.prettifyError(read.error));
}
