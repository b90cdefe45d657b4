import { PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import type { Owner } from "../assessment/owner.ts";
import { attempt, hasStatus } from "./api-error.ts";
import type { KubernetesApi } from "./client.ts";

/** What is to be read at a workload: `kubectl describe deployment web`, `kubectl events`. */
export interface Notice {
  readonly about: Owner;
  /** UpperCamelCase, for machines. */
  readonly reason: string;
  readonly message: string;
}

export const COMPONENT = "sallyport-controller";
/** Of an event of the API (events.k8s.io/v1, "note"). */
export const MAX_MESSAGE = 1_000;
/** An API server forgets events after an hour, unless told otherwise (kube-apiserver --event-ttl). */
const AGAIN_AFTER_MS = 3_600_000;

/**
 * Writes a Warning at the workload, or counts up the one that is there: after an hour, or when it says something else. The
 * event itself is what is remembered, so that the next leader goes on where the last one was; an empty patch reads it
 * without a permission to read events. True when something was written.
 */
export async function giveNotice(
  api: KubernetesApi,
  { about, reason, ...notice }: Notice,
  nowMs: number,
): Promise<boolean> {
  const message = notice.message.slice(0, MAX_MESSAGE);
  const { namespace } = about;
  const name = `${about.name.slice(0, 180)}.${reason.toLowerCase()}.${about.uid.slice(0, 8)}`;
  const what = `Event ${namespace}/${name}`;
  const patch = (body: object) =>
    attempt("patch", what, () =>
      api.core.patchNamespacedEvent(
        { namespace, name, body },
        setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
      ),
    );
  try {
    const found = await patch({});
    const last = found.lastTimestamp?.getTime() ?? 0;
    if (found.message === message && nowMs - last < AGAIN_AFTER_MS) return false;
    await patch({
      metadata: { resourceVersion: found.metadata.resourceVersion },
      message,
      count: (found.count ?? 1) + 1,
      lastTimestamp: new Date(nowMs).toISOString(),
    });
    return true;
  } catch (error) {
    if (hasStatus(error, 409)) return false; // another leader has just counted
    if (!hasStatus(error, 404)) throw error;
  }
  return await begin(api, name, { about, reason, message }, new Date(nowMs));
}

async function begin(
  api: KubernetesApi,
  name: string,
  { about, reason, message }: Notice,
  at: Date,
): Promise<boolean> {
  const { apiVersion, kind, namespace, uid } = about;
  try {
    await attempt("create", `Event ${namespace}/${name}`, () =>
      api.core.createNamespacedEvent({
        namespace,
        body: {
          metadata: { name, namespace },
          involvedObject: { apiVersion, kind, namespace, name: about.name, uid },
          type: "Warning",
          reason,
          message,
          count: 1,
          firstTimestamp: at,
          lastTimestamp: at,
          source: { component: COMPONENT },
          reportingComponent: COMPONENT,
        },
      }),
    );
    return true;
  } catch (error) {
    if (isEnding(error)) return false;
    throw error;
  }
}

/** A namespace that is being deleted takes nothing new (k8s.io/apiserver, namespace lifecycle): nobody has to do anything. */
export function isEnding(error: unknown): boolean {
  return hasStatus(error, 403) && /because it is being terminated/.test((error as Error).message);
}
