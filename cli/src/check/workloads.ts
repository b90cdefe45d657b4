import type { JsonObject } from "@sallyport/controller/admission/admission";
import { WORKLOAD_KINDS } from "@sallyport/controller/admission/workload-kinds";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { assessPod, type Installation } from "@sallyport/controller/assessment/assess";
import type { Uncarried } from "@sallyport/controller/assessment/assessment";
import {
  controllerOf,
  GO_BETWEENS,
  isGoBetween,
  type Owner,
  ownerOfPod,
} from "@sallyport/controller/assessment/owner";
import { type Group, RollUp } from "@sallyport/controller/assessment/roll-up";
import { assessWorkload } from "@sallyport/controller/assessment/workload";
import { reading } from "../kubernetes/read.ts";
import type { Rest } from "../kubernetes/rest.ts";
import { all } from "./gather.ts";
import type { Labelled } from "./namespaces.ts";

/** The pods of a namespace by workload, and the workloads whose own annotation has not arrived. */
export interface Inhabitants {
  readonly place: Labelled;
  readonly groups: readonly Group[];
  readonly uncarried: readonly { readonly owner: Owner; readonly reason: Uncarried }[];
  /** What may not be looked at: kinds and why. */
  readonly hidden: readonly { readonly what: string; readonly why: string }[];
}

const PODS = "status.phase!=Succeeded,status.phase!=Failed";

export async function lookAt(
  rest: Rest,
  place: Labelled,
  installation: Installation,
): Promise<Inhabitants> {
  const { namespace } = place;
  const hidden: { what: string; why: string }[] = [];
  const groups: Group[] = [];
  try {
    groups.push(...(await podGroups(rest, place, installation)));
  } catch (error) {
    const read = await reading(Promise.reject(error));
    if ("unknown" in read) hidden.push({ what: "pods", why: read.unknown });
  }
  const uncarried: { owner: Owner; reason: Uncarried }[] = [];
  await Promise.all(
    WORKLOAD_KINDS.map(async (kind) => {
      const resource = `${kind.kind.toLowerCase()}s`;
      const path = `/apis/${kind.group}/v1/namespaces/${namespace}/${resource}`;
      const read = await reading(all(rest.list(path)));
      if ("unknown" in read) hidden.push({ what: resource, why: read.unknown });
      if (!("value" in read)) return;
      for (const workload of read.value) {
        const reason = assessWorkload(kind, workload);
        if (reason === undefined || hasEnded(workload)) continue;
        const { name, uid } = asObject(workload.metadata);
        uncarried.push({
          owner: {
            apiVersion: `${kind.group}/v1`,
            kind: kind.kind,
            namespace,
            name: String(name),
            uid: String(uid),
          },
          reason,
        });
      }
    }),
  );
  return { place, groups, uncarried, hidden };
}

async function podGroups(rest: Rest, place: Labelled, installation: Installation) {
  const { namespace } = place;
  const byOwner = new RollUp();
  for await (const pod of rest.list(`/api/v1/namespaces/${namespace}/pods`, {
    fieldSelector: PODS,
  })) {
    const { name, deletionTimestamp } = asObject(pod.metadata);
    if (deletionTimestamp) continue;
    const assessment = assessPod(pod, { ...installation, ...place });
    byOwner.add({ owner: ownerOfPod(pod), assessment, pods: 1, example: String(name) });
  }
  const owners = await ownersOfGoBetweens(rest, namespace, byOwner.groups());
  const byWorkload = new RollUp();
  for (const group of byOwner.groups())
    byWorkload.add({ ...group, owner: owners.get(group.owner.uid) ?? group.owner });
  return byWorkload.groups();
}

/** Of ReplicaSets and Jobs, by uid, whom they belong to; where they may not be looked at they stand for themselves. */
async function ownersOfGoBetweens(rest: Rest, namespace: string, groups: readonly Group[]) {
  const owners = new Map<string, Owner>();
  const kinds = new Set(groups.flatMap(({ owner }) => (isGoBetween(owner) ? [owner.kind] : [])));
  for (const kind of kinds) {
    const path = `/apis/${GO_BETWEENS[kind].apiVersion}/namespaces/${namespace}/${kind.toLowerCase()}s`;
    const read = await reading(all(rest.list(path, {}, "metadata")));
    for (const object of "value" in read ? read.value : []) {
      const owner = controllerOf(object);
      if (owner) owners.set(String(asObject(object.metadata).uid), owner);
    }
  }
  return owners;
}

/** A Job that is done makes no more pods. */
function hasEnded(workload: JsonObject): boolean {
  return asObject(workload.status).completionTime !== undefined;
}
