import type { JsonObject, JsonValue } from "@sallyport/controller/admission/admission";
import { WORKLOAD_KINDS, type WorkloadKind } from "@sallyport/controller/admission/workload-kinds";
import { asObject } from "@sallyport/controller/admission/workload-template";

/** A pod, or the template of pods, inside a manifest. */
export interface PodPlace {
  /** `Deployment/web`, for messages. */
  readonly name: string;
  readonly namespace: string;
  /** Where the object is in its document, which may be a List; and where the pod is in the object. */
  readonly object: readonly string[];
  readonly pod: readonly string[];
  /** Where the webhook carries the annotation `sallyport.dev/inject` from the object to its template. */
  readonly carries: WorkloadKind | undefined;
}

/** Kinds that hold a pod template and are not a workload webhook's: nobody carries an annotation into them. */
const OTHERS: readonly { group: string; kind: string; pod: readonly string[] }[] = [
  { group: "", kind: "Pod", pod: [] },
  { group: "", kind: "PodTemplate", pod: ["template"] },
  { group: "", kind: "ReplicationController", pod: ["spec", "template"] },
  { group: "apps", kind: "ReplicaSet", pod: ["spec", "template"] },
  { group: "extensions", kind: "Deployment", pod: ["spec", "template"] },
  { group: "extensions", kind: "DaemonSet", pod: ["spec", "template"] },
  { group: "extensions", kind: "ReplicaSet", pod: ["spec", "template"] },
  { group: "apps.openshift.io", kind: "DeploymentConfig", pod: ["spec", "template"] },
];

/** Every pod and pod template of a document, of each item where it is a List. Another group's kind of the same name is none. */
export function podsIn(document: JsonObject, at: readonly string[] = []): PodPlace[] {
  const { apiVersion, kind, metadata, items } = document;
  if (kind === "List" && Array.isArray(items))
    return items.flatMap((item, i) => podsIn(asObject(item), [...at, "items", String(i)]));
  const group = groupOf(apiVersion);
  const carries = WORKLOAD_KINDS.find((one) => one.kind === kind && one.group === group);
  const pod =
    carries?.template ?? OTHERS.find((one) => one.kind === kind && one.group === group)?.pod;
  if (!pod || !hasPod(document, pod)) return [];
  const { name, generateName, namespace } = asObject(metadata);
  return [
    {
      name: `${kind}/${name ?? generateName ?? "(no name)"}`,
      namespace: typeof namespace === "string" ? namespace : "default",
      object: at,
      pod,
      carries,
    },
  ];
}

/** `v1` is of the group without a name. */
function groupOf(apiVersion: JsonValue | undefined): string | undefined {
  if (typeof apiVersion !== "string") return undefined;
  return apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
}

/** A DeploymentConfig, for one, may have no template. */
function hasPod(document: JsonObject, path: readonly string[]): boolean {
  const pod = path.reduce<JsonObject>((value, key) => asObject(value[key]), document);
  return Object.keys(pod).length > 0;
}
