import { controllerOf, type GoBetween, isGoBetween, type Owner } from "../assessment/owner.ts";
import { attempt, hasStatus } from "./api-error.ts";
import type { KubernetesApi } from "./client.ts";
import { plain } from "./sweep-plain.ts";

/** Whom those of them that are go-betweens belong to, each asked for once. */
export async function workloadsOf(
  api: KubernetesApi,
  owners: readonly Owner[],
  signal: AbortSignal,
): Promise<(owner: Owner) => Owner> {
  const workloads = new Map<string, Owner>();
  for (const owner of owners)
    if (!signal.aborted && !workloads.has(owner.uid))
      workloads.set(owner.uid, await workloadOf(api, owner));
  return (owner) => workloads.get(owner.uid) ?? owner;
}

/**
 * The workload that a person made: of a ReplicaSet the Deployment, of a Job the CronJob. An owner that is gone meanwhile
 * is as good as its own name.
 */
async function workloadOf(api: KubernetesApi, owner: Owner): Promise<Owner> {
  if (!isGoBetween(owner)) return owner;
  const { namespace, name, kind } = owner;
  try {
    const found = await attempt("get", `${kind} ${namespace}/${name}`, () =>
      READ[kind](api, { namespace, name }),
    );
    return controllerOf(plain(found)) ?? owner;
  } catch (error) {
    if (hasStatus(error, 404)) return owner;
    throw error;
  }
}

type Place = { readonly namespace: string; readonly name: string };

const READ: {
  readonly [kind in GoBetween]: (api: KubernetesApi, place: Place) => Promise<object>;
} = {
  ReplicaSet: ({ apps }, place) => apps.readNamespacedReplicaSet(place),
  Job: ({ batch }, place) => batch.readNamespacedJob(place),
};
