import type { JsonObject, JsonValue, PatchOperation } from "./admission.ts";
import { withPluginChanges } from "./built-in-plugins.ts";
import { diff } from "./diff.ts";
import { OUR_CONTAINERS, STATUS } from "./names.ts";
import type { Refusal } from "./refusal.ts";
import { objects, type Sidecar } from "./sidecar-in.ts";
import { statusOf } from "./status.ts";
import { asObject } from "./workload-template.ts";

/**
 * What of a sidecar is not as it was put in: our containers first in their lists, each field of them as it was made, our
 * volumes, and what the status says. `wanted` is the pod as it should be, made from the very pod that is looked at.
 */
export function changesOf(pod: JsonObject, sidecar: Sidecar, wanted: JsonObject): Refusal[] {
  const spec = asObject(pod.spec);
  return [
    ...containerChanges("initContainers", sidecar, spec),
    ...containerChanges("containers", sidecar, spec),
    ...volumeChanges(sidecar, spec),
    ...statusChanges(pod, wanted),
  ];
}

function containerChanges(
  list: "initContainers" | "containers",
  sidecar: Sidecar,
  spec: JsonObject,
): Refusal[] {
  const found = objects(spec[list]);
  const ours = sidecar[list];
  const placed = ours.flatMap((container, i): Refusal[] => {
    const path = `spec.${list}[${i}]`;
    const at = found.findIndex(({ name }) => name === container.name);
    const there = found[at];
    if (!there) return [{ path, message: `"${container.name}" is expected here, and is gone` }];
    const changed = changes(`spec.${list}[${at}]`, withPluginChanges(container, there), there);
    return at === i ? changed : [misplaced(path, container, found[i], at), ...changed];
  });
  const others = found.flatMap(({ name }, i): Refusal[] =>
    OUR_CONTAINERS.includes(String(name)) && !ours.some((container) => container.name === name)
      ? [{ path: `spec.${list}[${i}].name`, message: `"${name}" has no place here` }]
      : [],
  );
  return [...placed, ...others];
}

function misplaced(
  path: string,
  { name }: JsonObject,
  there: JsonObject | undefined,
  at: number,
): Refusal {
  return {
    path,
    message: `there is "${there?.name}", expected "${name}", which is at [${at}]: nothing may start before the sidecar`,
  };
}

function volumeChanges({ volumes }: Sidecar, spec: JsonObject): Refusal[] {
  const found = objects(spec.volumes);
  return volumes.flatMap((volume) => {
    const at = found.findIndex(({ name }) => name === volume.name);
    const there = found[at];
    return there
      ? changes(`spec.volumes[${at}]`, volume, there)
      : [{ path: "spec.volumes", message: `"${volume.name}" is gone` }];
  });
}

/** `made` is about the pod before the sidecar, and what has been added to that since is nobody's fault. */
function statusChanges(pod: JsonObject, wanted: JsonObject): Refusal[] {
  return changes(`metadata.annotations[${STATUS}]`, comparable(wanted), comparable(pod));
}

function comparable(pod: JsonObject): JsonObject {
  const { made: _made, signature: _signature, ...status } = statusOf(pod) ?? {};
  return status as JsonObject;
}

function changes(at: string, wanted: JsonObject, found: JsonObject): Refusal[] {
  return diff(wanted, found).map((operation) => {
    const path = at + dotted(operation.path);
    return { path, message: told(path, operation, valueAt(wanted, operation.path)) };
  });
}

function told(path: string, operation: PatchOperation, wanted: JsonValue | undefined): string {
  switch (operation.op) {
    case "add":
      return `there is ${shown(path, operation.value)}, expected nothing${hint(path, operation.value)}`;
    case "remove":
      return `there is nothing, expected ${shown(path, wanted)}`;
    case "replace":
      return `there is ${shown(path, operation.value)}, expected ${shown(path, wanted)}${hint(path, operation.value)}`;
  }
}

/** A value short enough to be read; never the value of a variable, which may be a secret. */
function shown(path: string, value: JsonValue | undefined): string {
  if (typeof value === "object" && value !== null) {
    const { name } = value as JsonObject;
    return typeof name === "string" ? JSON.stringify(name) : "something else";
  }
  const text = JSON.stringify(value);
  return path.includes(".env[") || text.length > 200 ? "another text" : text;
}

function hint(path: string, value: JsonValue): string {
  if (path.endsWith(".image"))
    return "; where images are to be named so, say it in Sallyport's configuration (images)";
  if (path.includes(".volumeMounts[") && shown(path, value).startsWith('"kube-api-access-'))
    return "; with reinvocationPolicy: IfNeeded Sallyport's webhook takes it out";
  return "";
}

/** `/env/0/name` as `.env[0].name`. */
function dotted(pointer: string): string {
  return segments(pointer)
    .map((key) => (/^\d+$/.test(key) ? `[${key}]` : `.${key}`))
    .join("");
}

function valueAt(value: JsonValue, pointer: string): JsonValue | undefined {
  return segments(pointer).reduce<JsonValue | undefined>(
    (inside, key) =>
      typeof inside === "object" && inside !== null ? (inside as JsonObject)[key] : undefined,
    value,
  );
}

function segments(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}
