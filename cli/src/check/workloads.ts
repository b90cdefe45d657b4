import type { JsonObject } from "@sallyport/controller/admission/admission";
import { WORKLOAD_KINDS } from "@sallyport/controller/admission/workload-kinds";
import { asObject } from "@sallyport/controller/admission/workload-template";
import type { Installation } from "@sallyport/controller/assessment/assess";
import type { Uncarried } from "@sallyport/controller/assessment/assessment";
import {
  controllerOf,
  GO_BETWEENS,
  isGoBetween,
  type Owner,
} from "@sallyport/controller/assessment/owner";
import { groupPods, NOT_ENDED } from "@sallyport/controller/assessment/pods";
import type { Group } from "@sallyport/controller/assessment/roll-up";
import { assessWorkload } from "@sallyport/controller/assessment/workload";
import { known, reading, type Unknown } from "../kubernetes/read.ts";
import type { Rest } from "../kubernetes/rest.ts";
import { all } from "./gather.ts";
import type { Labelled } from "./namespaces.ts";

/** The pods of a namespace by workload, and the workloads whose own annotation has not arrived. */
export interface Inhabitants {
  readonly place: Labelled;
  readonly groups: readonly Group[];
  readonly uncarried: readonly { readonly owner: Owner; readonly reason: Uncarried }[];
  readonly hidden: readonly Hidden[];
}

/** A kind that could not be looked at, and what the API server said. */
export interface Hidden extends Unknown {
  readonly what: string;
}

export async function lookAt(
  rest: Rest,
  place: Labelled,
  installation: Installation,
): Promise<Inhabitants> {
  const { namespace } = place;
  const hidden: Hidden[] = [];
  const groups = await reading(
    groupPods(
      rest.list(`/api/v1/namespaces/${namespace}/pods`, { fieldSelector: NOT_ENDED }),
      { ...installation, ...place },
      (owners) => workloadsOf(rest, namespace, owners),
    ),
  );
  if ("unknown" in groups) hidden.push({ what: "pods", ...groups });
  const uncarried: { owner: Owner; reason: Uncarried }[] = [];
  await Promise.all(
    WORKLOAD_KINDS.map(async (kind) => {
      const resource = `${kind.kind.toLowerCase()}s`;
      const path = `/apis/${kind.group}/v1/namespaces/${namespace}/${resource}`;
      const read = await reading(all(rest.list(path)));
      if ("unknown" in read) hidden.push({ what: resource, ...read });
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
  return { place, groups: known(groups) ?? [], uncarried, hidden };
}

/** Of ReplicaSets and Jobs, whom they belong to; where they may not be looked at they stand for themselves. */
async function workloadsOf(rest: Rest, namespace: string, owners: readonly Owner[]) {
  const workloads = new Map<string, Owner>();
  const kinds = new Set(owners.flatMap((owner) => (isGoBetween(owner) ? [owner.kind] : [])));
  for (const kind of kinds) {
    const path = `/apis/${GO_BETWEENS[kind].apiVersion}/namespaces/${namespace}/${kind.toLowerCase()}s`;
    const read = await reading(all(rest.list(path, {}, "metadata")));
    for (const object of "value" in read ? read.value : []) {
      const workload = controllerOf(object);
      if (workload) workloads.set(String(asObject(object.metadata).uid), workload);
    }
  }
  return (owner: Owner) => workloads.get(owner.uid) ?? owner;
}

/** A Job that is done makes no more pods. */
function hasEnded(workload: JsonObject): boolean {
  return asObject(workload.status).completionTime !== undefined;
}
