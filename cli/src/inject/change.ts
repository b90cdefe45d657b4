import type {
  Admission,
  JsonObject,
  JsonValue,
  NamespaceInjection,
  PatchOperation,
} from "@sallyport/controller/admission/admission";
import { carry } from "@sallyport/controller/admission/carried";
import { diff } from "@sallyport/controller/admission/diff";
import { eject } from "@sallyport/controller/admission/eject";
import type { DrawIdentity } from "@sallyport/controller/admission/identity";
import type { InjectionOptions } from "@sallyport/controller/admission/options";
import { admitPod } from "@sallyport/controller/admission/pod";
import { admitWorkload } from "@sallyport/controller/admission/workload";
import { templateAt, valueIn, withValue } from "@sallyport/controller/admission/workload-template";
import { applyPatch, type Operation } from "rfc6902";
import type { PodPlace } from "./templates.ts";

export interface Injection {
  readonly injection: NamespaceInjection;
  readonly options: InjectionOptions;
  readonly draw: DrawIdentity;
}

/** What becomes of one pod of a document: the document with it changed, and how. */
export interface Change {
  readonly document: JsonObject;
  readonly operations: readonly PatchOperation[];
  readonly refusal?: string;
  readonly warnings: readonly string[];
}

/** As the two webhooks would: the workload's annotation is carried to its template, and the pod is admitted. */
export function injectInto(document: JsonObject, place: PodPlace, how: Injection): Change {
  const object = at(document, place.object);
  const carried = place.carries
    ? admitWorkload(
        { kind: place.carries, operation: "CREATE", object, oldObject: undefined },
        () => NOTHING,
      )
    : NOTHING;
  const first = patched(document, place.object, carried);
  const path = [...place.object, ...place.pod];
  const admission = admitPod(
    at(first.document, path),
    { namespace: place.namespace, injection: how.injection, now: 0 },
    how.options,
    how.draw,
  );
  const second = patched(first.document, path, admission);
  return {
    document: second.document,
    operations: [...first.operations, ...second.operations],
    warnings: [...carried.warnings, ...admission.warnings],
    ...(!admission.allowed && { refusal: admission.message }),
  };
}

/** Takes out what `injectInto` puts in; what stood there in our names before it does not come back. */
export function ejectFrom(document: JsonObject, { object, pod, carries }: PodPlace): Change {
  const found = at(document, object);
  const ejected = replaced(found, pod, eject(at(found, pod)));
  const wanted = replaced(document, object, carries ? withoutCarried(ejected, pod) : ejected);
  return { document: wanted, operations: diff(document, wanted), warnings: [] };
}

function withoutCarried(object: JsonObject, pod: PodPlace["pod"]): JsonObject {
  const template = valueIn(templateAt(object, pod));
  const kept = carry({ own: undefined, template, before: undefined, inherited: false });
  return withValue(object, pod, kept.template);
}

const NOTHING: Admission = { allowed: true, patch: [], warnings: [] };

/** The document after an admission of the object that is at `path` in it. */
function patched(document: JsonObject, path: readonly string[], admission: Admission) {
  if (!admission.allowed) return { document, operations: [] };
  const prefix = path.map((key) => `/${key}`).join("");
  const operations = admission.patch.map((one) => ({ ...one, path: prefix + one.path }));
  const copy = structuredClone(document);
  const failure = applyPatch(copy, structuredClone(operations) as Operation[]).find(Boolean);
  if (failure) throw failure;
  return { document: copy, operations };
}

function at(document: JsonObject, path: readonly string[]): JsonObject {
  return path.reduce<JsonValue>((value, key) => child(value, key), document) as JsonObject;
}

function replaced(
  parent: JsonValue,
  [key, ...rest]: readonly string[],
  value: JsonObject,
): JsonObject {
  if (key === undefined) return value;
  const inner = replaced(child(parent, key), rest, value);
  return (
    Array.isArray(parent)
      ? parent.with(Number(key), inner)
      : { ...(parent as JsonObject), [key]: inner }
  ) as JsonObject;
}

function child(value: JsonValue, key: string): JsonValue {
  return (value as Record<string, JsonValue>)[key] ?? {};
}
