import type { JsonObject } from "@sallyport/controller/admission/admission";
import { Policy } from "@sallyport/core/policy";
import { type PolicySnapshot, SNAPSHOT_SCHEMA } from "@sallyport/core/snapshot";
import * as z from "zod";
import { type Access, NoAnswer } from "../kubernetes/access.ts";
import { placeOf, sidecarJson } from "./sidecar-page.ts";

const Clauses = z.array(
  z.looseObject({
    rule: z.string(),
    entry: z.int().min(0),
    hosts: z.array(z.string()).optional(),
    cidrs: z.array(z.string()).optional(),
    ports: z.array(z.looseObject({ port: z.int(), endPort: z.int().optional() })),
  }),
);

/** What is asked of a snapshot before it is believed to be one; the sidecar has read it strictly. */
const Snapshot = z.looseObject({
  schema: z.literal(SNAPSHOT_SCHEMA),
  mode: z.enum(["audit", "enforce"]),
  namespace: z.string(),
  rules: Clauses,
  baseline: Clauses,
  deny: Clauses,
  ceilings: z.array(z.looseObject({ boundary: z.string(), allow: Clauses })),
  cluster: z.looseObject({
    ranges: z.array(z.string()),
    nodes: z.array(z.string()),
    endpoints: z.array(z.looseObject({ address: z.string(), port: z.int() })),
    domain: z.string(),
    externalNames: z.array(z.looseObject({ namespace: z.string(), name: z.string() })),
    leadingOut: z.array(z.looseObject({ namespace: z.string(), name: z.string() })),
  }),
  resolvers: z.array(z.string()),
});

/** Of a sidecar's /config_dump (proxy/src/admin/policy-dump.ts), what is needed here; all else is let be. */
const Dump = z.looseObject({
  policy: z.looseObject({
    version: z.int(),
    applied: z.string(),
    revision: z.string().optional(),
    control: z
      .looseObject({
        connected: z.boolean(),
        since: z.string().optional(),
        problem: z.string().optional(),
      })
      .optional(),
    snapshot: z.unknown().optional(),
  }),
  problem: z.string().optional(),
});

/** The policy of one pod, as its sidecar has it in force. */
export interface InForce {
  /** Undefined before the first has come: then nothing is permitted. */
  readonly snapshot: PolicySnapshot | undefined;
  /** Counts up with each that the sidecar has applied. */
  readonly version: number;
  /** RFC 3339 */
  readonly applied: string;
  /** As the controllers name it. */
  readonly revision: string | undefined;
  /** Undefined where the policy is from the sidecar's own configuration. */
  readonly control:
    | { readonly connected: boolean; readonly since?: string; readonly problem?: string }
    | undefined;
  /** Why a newer one could not be used. */
  readonly problem: string | undefined;
}

export async function inForceOf(
  access: Pick<Access, "config" | "rest">,
  pod: JsonObject,
): Promise<InForce> {
  return readDump(await sidecarJson(access, pod, "/config_dump"), placeOf(pod).name);
}

export function readDump(dump: unknown, pod: string): InForce {
  const read = Dump.safeParse(dump);
  if (!read.success) throw notUnderstood(pod, read.error);
  const { policy, problem } = read.data;
  const { snapshot, version, applied, revision, control } = policy;
  return {
    ...{ version, applied, revision, problem },
    control: control as InForce["control"],
    snapshot: snapshot === undefined ? undefined : readSnapshot(snapshot, pod),
  };
}

function readSnapshot(snapshot: unknown, pod: string): PolicySnapshot {
  const read = Snapshot.safeParse(snapshot);
  if (!read.success) throw notUnderstood(pod, read.error);
  const its = snapshot as PolicySnapshot;
  try {
    // A pod may say anything, and keeps nobody from asking the others.
    new Policy(its);
  } catch (error) {
    throw notUnderstood(pod, error as Error);
  }
  return its;
}

function notUnderstood(pod: string, error: z.ZodError | Error): NoAnswer {
  const [{ path, message }] =
    error instanceof z.ZodError && error.issues[0]
      ? [error.issues[0]]
      : [{ path: [], message: error.message }];
  return new NoAnswer(
    `pod ${pod}: this version of the command does not understand its sidecar's policy: ${[path.join("."), message].filter((part) => part !== "").join(": ")}; use the command of the sidecar's version`,
  );
}
