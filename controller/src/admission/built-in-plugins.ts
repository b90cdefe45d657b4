import type { JsonObject, JsonValue } from "./admission.ts";
import { asObject } from "./workload-template.ts";

/**
 * What admission plugins inside the API server write into every container, the sidecar's too, and insist on when all
 * webhooks have been called: taken out again, it would be missed there and the pod refused. AlwaysPullImages demands
 * `imagePullPolicy: Always`; LimitRanger demands what a LimitRange gives by default, of which the sidecar does not say
 * ephemeral storage itself. Nothing else is kept: the token that the ServiceAccount plugin mounts, neither insists on nor
 * is of use to the sidecar (docs/adr/009-the-pod-as-it-finally-is.md).
 */
const PULL_POLICY = "Always";
const RESOURCE = "ephemeral-storage";
const KINDS = ["requests", "limits"] as const;

/** Our container as we make it, with what the plugins have written into the one found in its place. */
export function withPluginChanges(ours: JsonObject, found: JsonObject | undefined): JsonObject {
  if (!found) return ours;
  const changed = storageOf(found);
  return {
    ...ours,
    ...(found.imagePullPolicy === PULL_POLICY && { imagePullPolicy: PULL_POLICY }),
    ...(changed && { resources: merged(asObject(ours.resources), changed) }),
  };
}

/** What no plugin changes in a container of ours. */
export function withoutPluginChanges({ imagePullPolicy: _, ...container }: JsonObject): JsonObject {
  const resources = asObject(container.resources);
  const kept = KINDS.flatMap((kind): [string, JsonValue][] => {
    const { [RESOURCE]: _, ...others } = asObject(resources[kind]);
    return resources[kind] === undefined ? [] : [[kind, others]];
  });
  return { ...container, resources: { ...resources, ...Object.fromEntries(kept) } };
}

function storageOf(container: JsonObject): JsonObject | undefined {
  const resources = asObject(container.resources);
  const found = KINDS.flatMap((kind): [string, JsonValue][] => {
    const amount = asObject(resources[kind])[RESOURCE];
    return typeof amount === "string" ? [[kind, { [RESOURCE]: amount }]] : [];
  });
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

function merged(ours: JsonObject, changes: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(ours).map(([kind, amounts]) => [
      kind,
      { ...asObject(amounts), ...asObject(changes[kind]) },
    ]),
  );
}
