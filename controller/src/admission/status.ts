import * as z from "zod";
import type { JsonObject, JsonValue } from "./admission.ts";
import { STATUS } from "./names.ts";
import { asObject } from "./workload-template.ts";

/** What stood where a list or map had to be made: nothing, or `null`. */
const Before = z.enum(["absent", "null"]);

/**
 * The status annotation: what was injected. It is information for people and for `eject`. Admission believes of it only
 * what it can check: a seal and a signature of its own. Controllers of two versions read each other's while one replaces
 * the other: a field that a later version adds is optional, and one that is here stays.
 */
export const Status = z.object({
  version: z.string(),
  images: z.object({ proxy: z.string(), init: z.string() }),
  uid: z.int(),
  gid: z.int(),
  seal: z.string().optional(),
  /** Shows other replicas that one of them has made this sidecar (signature.ts). */
  signature: z.string().optional(),
  containers: z.array(z.string()),
  volumes: z.array(z.string()),
  made: z
    .object({
      metadata: Before.optional(),
      annotations: Before.optional(),
      initContainers: Before.optional(),
      containers: Before.optional(),
      volumes: Before.optional(),
      /** What the pod's own resources were and became, by `requests.cpu` and the like (pod-resources.ts). */
      resources: z
        .record(z.string(), z.object({ was: z.union([z.string(), z.number()]), is: z.string() }))
        .optional(),
    })
    .default({}),
});
export type Status = z.output<typeof Status>;
export type Made = Status["made"];

/** The status that a pod carries; undefined where it carries none, or something else. */
export function statusOf(pod: JsonObject): Status | undefined {
  return Status.safeParse(writtenStatus(pod)).data;
}

/** What a signature is over: everything that was written, but what was made around the sidecar, to which others may add. */
export function signedStatus(pod: JsonObject): JsonObject {
  const { made: _, signature: __, ...signed } = asObject(writtenStatus(pod));
  return signed;
}

function writtenStatus(pod: JsonObject): JsonValue | undefined {
  const annotations = (pod.metadata as JsonObject | undefined)?.annotations as
    | JsonObject
    | null
    | undefined;
  const text = annotations?.[STATUS];
  if (typeof text !== "string") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
