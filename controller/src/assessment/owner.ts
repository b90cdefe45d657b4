import type { JsonObject } from "../admission/admission.ts";
import { objects } from "../admission/sidecar-in.ts";
import { asObject } from "../admission/workload-template.ts";

/** What makes a pod, or the pod itself where nobody does. */
export interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** What people do not make themselves: of these the owner is asked in turn. */
export const GO_BETWEENS = {
  ReplicaSet: { apiVersion: "apps/v1", owner: "Deployment" },
  Job: { apiVersion: "batch/v1", owner: "CronJob" },
} as const;
export type GoBetween = keyof typeof GO_BETWEENS;

export function isGoBetween(owner: Owner): owner is Owner & { readonly kind: GoBetween } {
  return (
    Object.hasOwn(GO_BETWEENS, owner.kind) &&
    GO_BETWEENS[owner.kind as GoBetween].apiVersion === owner.apiVersion
  );
}

/** The one that is its controller (meta/v1, OwnerReference); undefined where it has none. */
export function controllerOf(object: JsonObject): Owner | undefined {
  const { namespace, ownerReferences } = asObject(object.metadata);
  const reference = objects(ownerReferences).find(({ controller }) => controller === true);
  return reference && ownerFrom(reference, String(namespace));
}

/** The workload that a pod belongs to, one step: its controller, or itself. */
export function ownerOfPod(pod: JsonObject): Owner {
  const metadata = asObject(pod.metadata);
  return (
    controllerOf(pod) ??
    ownerFrom({ ...metadata, apiVersion: "v1", kind: "Pod" }, String(metadata.namespace))
  );
}

function ownerFrom({ apiVersion, kind, name, uid }: JsonObject, namespace: string): Owner {
  return {
    apiVersion: String(apiVersion),
    kind: String(kind),
    namespace,
    name: String(name),
    uid: String(uid),
  };
}

/** As kubectl takes it: `deployment/web`. */
export function formatOwner({ kind, name }: Pick<Owner, "kind" | "name">): string {
  return `${kind.toLowerCase()}/${name}`;
}
