import {
  type EventsV1Event,
  PatchStrategy,
  setHeaderOptions,
  V1MicroTime,
} from "@kubernetes/client-node";
import { attempt, hasStatus } from "../kubernetes/api-error.ts";
import type { KubernetesApi } from "../kubernetes/client.ts";
import { COMPONENT, isEnding, MAX_MESSAGE } from "../kubernetes/events.ts";
import type { Telling } from "./refusal-events.ts";

const REASON = "EgressRefused";

/**
 * Writes the Event at the pod, or counts it up (events.k8s.io/v1, "series"), whoever has begun it: its name says what it
 * is about. One that the API server has forgotten begins again.
 */
export async function countEvent(
  api: KubernetesApi,
  { pod, note, name }: Telling,
  times: number,
  identity: string,
): Promise<void> {
  const { namespace } = pod;
  const what = `Event ${namespace}/${name}`;
  const patch = (body: object) =>
    attempt("patch", what, () =>
      api.events.patchNamespacedEvent(
        { namespace, name, body },
        setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
      ),
    );
  const now = new V1MicroTime();
  try {
    const { metadata, series } = await patch({});
    await patch({
      metadata: { resourceVersion: metadata?.resourceVersion },
      series: { count: Math.min((series?.count ?? 1) + times, MOST), lastObservedTime: now },
    });
    return;
  } catch (error) {
    if (hasStatus(error, 409)) return; // another controller has just counted: what is lost is a number
    if (!hasStatus(error, 404)) throw error;
  }
  const body: EventsV1Event = {
    metadata: { name, namespace },
    eventTime: now,
    ...(times > 1 && { series: { count: Math.min(times, MOST), lastObservedTime: now } }),
    reportingController: COMPONENT,
    reportingInstance: identity.slice(0, 128),
    action: "Refuse",
    reason: REASON,
    regarding: { apiVersion: "v1", kind: "Pod", namespace, name: pod.name, uid: pod.uid },
    note: note.slice(0, MAX_MESSAGE),
    type: "Warning",
  };
  try {
    await attempt("create", what, () => api.events.createNamespacedEvent({ namespace, body }));
  } catch (error) {
    if (!isEnding(error) && !hasStatus(error, 409)) throw error;
  }
}

/** int32 */
const MOST = 2_147_483_647;
