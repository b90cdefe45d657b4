import type { JsonObject, JsonValue } from "./admission.ts";
import { addQuantities } from "./quantity.ts";
import type { Sidecar } from "./sidecar-in.ts";
import type { Made } from "./status.ts";
import { asObject } from "./workload-template.ts";

/** What a pod can say of the sidecar's resources for all its containers together. */
export const AMOUNTS = [
  ["requests", "cpu"],
  ["requests", "memory"],
  ["limits", "cpu"],
  ["limits", "memory"],
] as const;

/** Of the pod's own resources each amount that the sidecar's was added to: as it was written, and what became of it. */
type Raised = NonNullable<Made["resources"]>;

/**
 * A pod's own resources (spec.resources, in Kubernetes from 1.34) with the sidecar's added, and what was changed: the API
 * server refuses a pod whose containers request more than the pod does, and counts native sidecars among them
 * (validatePodResourceConsistency in pkg/apis/core/validation/validation.go). What the pod does not say, it is not given.
 */
export function withSidecars(
  resources: JsonValue | undefined,
  { initContainers, containers }: Sidecar,
): { readonly resources: JsonObject; readonly raised: Raised } | undefined {
  // The proxy: what runs before it, one by one, asks for no more than it does.
  const proxy = asObject([...initContainers, ...containers].at(-1)?.resources);
  const raised: Raised = {};
  for (const [kind, resource] of AMOUNTS) {
    const was = asObject(asObject(resources)[kind])[resource];
    const more = asObject(proxy[kind])[resource];
    if ((typeof was !== "string" && typeof was !== "number") || typeof more !== "string") continue;
    const is = addQuantities(resource, String(was), more);
    if (typeof is === "string") raised[`${kind}.${resource}`] = { was, is };
  }
  return Object.keys(raised).length > 0
    ? { resources: replaced(asObject(resources), raised, "is", "was"), raised }
    : undefined;
}

/** As they were; an amount that has been changed since is somebody else's. */
export function withoutSidecars(resources: JsonObject, raised: Raised): JsonObject {
  return replaced(resources, raised, "was", "is");
}

function replaced(
  resources: JsonObject,
  raised: Raised,
  to: "was" | "is",
  from: "was" | "is",
): JsonObject {
  let result = resources;
  for (const [kind, resource] of AMOUNTS) {
    const amount = raised[`${kind}.${resource}`];
    const amounts = asObject(result[kind]);
    if (amount && amounts[resource] === amount[from])
      result = { ...result, [kind]: { ...amounts, [resource]: amount[to] } };
  }
  return result;
}
