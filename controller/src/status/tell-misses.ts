import { hostname } from "node:os";
import { type Owner, ownerOfPod } from "../assessment/owner.ts";
import { attempt } from "../kubernetes/api-error.ts";
import type { KubernetesApi } from "../kubernetes/client.ts";
import { giveNotice } from "../kubernetes/events.ts";
import { workloadsOf } from "../kubernetes/sweep-owners.ts";
import { plain } from "../kubernetes/sweep-plain.ts";
import type { Knowledge } from "../rules/knowledge.ts";

export const MISSES_REASON = "ClusterRangesIncomplete";

/**
 * What the watches found wrong with what the installation was told of the cluster, as an Event at the controllers'
 * Deployment, where those look who can change it. A controller that is no pod has none: its log says it.
 */
export function missesTeller(
  {
    api,
    knowledge,
    namespace,
  }: { api: KubernetesApi; knowledge: Pick<Knowledge, "misses">; namespace: string },
  podName = hostname(),
): (nowMs: number, signal: AbortSignal) => Promise<void> {
  let told = "";
  let about: Owner | undefined;
  let againMs = 0;
  return async (nowMs, signal) => {
    const message = knowledge.misses().join("; ");
    if (message === "") told = "";
    if (message === "" || (message === told && nowMs < againMs)) return;
    about ??= await controllersOf(api, namespace, podName, signal);
    if (about) await giveNotice(api, { about, reason: MISSES_REASON, message }, Date.now());
    told = message;
    againMs = nowMs + AGAIN_MS;
  };
}

const AGAIN_MS = 3_600_000;

async function controllersOf(
  api: KubernetesApi,
  namespace: string,
  podName: string,
  signal: AbortSignal,
): Promise<Owner | undefined> {
  const { items } = await attempt("list", `the pods of namespace ${namespace}`, () =>
    api.core.listNamespacedPod({ namespace, fieldSelector: `metadata.name=${podName}` }),
  );
  const [pod] = items;
  if (!pod) return undefined;
  const owner = ownerOfPod(plain(pod));
  return (await workloadsOf(api, [owner], signal))(owner);
}
