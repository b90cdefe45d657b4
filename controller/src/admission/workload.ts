import * as z from "zod";
import type { Admission, JsonObject, JsonValue } from "./admission.ts";
import { type Carried, carry, type TemplateValue } from "./carried.ts";
import { diff } from "./diff.ts";
import { CARRIED, INJECT } from "./names.ts";
import type { WorkloadKind } from "./workload-kinds.ts";

export interface WorkloadRequest {
  readonly kind: WorkloadKind;
  readonly operation: "CREATE" | "UPDATE";
  readonly object: JsonObject;
  readonly oldObject: JsonObject | undefined;
}

/** The pod webhook's word on a pod of this workload. */
export type AdmitPodOf = (pod: JsonObject) => Admission;

const Metadata = z
  .looseObject({
    name: z.string().nullish(),
    annotations: z.record(z.string(), z.string()).nullish(),
    ownerReferences: z
      .array(z.looseObject({ kind: z.string().nullish(), controller: z.boolean().nullish() }))
      .nullish(),
  })
  .nullish();

const Template = z.looseObject({
  metadata: z.looseObject({ annotations: z.record(z.string(), z.string()).nullish() }).nullish(),
});
type Template = z.output<typeof Template>;

/**
 * Carries `sallyport.dev/inject` into the pod template and says what will become of the pods. A convenience: whatever it
 * finds, the workload is let through.
 */
export function admitWorkload(request: WorkloadRequest, admitPodOf: AdmitPodOf): Admission {
  const { kind, object, operation } = request;
  const view = viewOf(kind, object);
  if (view instanceof Error) return { allowed: true, patch: [], warnings: [view.message] };
  const own = view.metadata?.annotations?.[INJECT];
  const { template, problem } = carry({
    own,
    template: valueOf(view.template),
    before: valueBefore(request),
    inherited:
      view.metadata?.ownerReferences?.some(
        (owner) => owner.controller === true && owner.kind === kind.copiedFrom,
      ) ?? false,
  });
  const wanted = replaceTemplate(object, kind.template, (raw) => annotate(raw, template));
  const patch = diff(object, wanted);
  const fixed = operation === "UPDATE" && kind.templateIsFixed && patch.length > 0;
  const result = fixed ? object : wanted;
  const warnings = [
    ...(problem ? [problemText(problem, kind.kind, own ?? "", template)] : []),
    ...(fixed ? [fixedText(kind.kind)] : []),
    ...podWarnings(admitPodOf(podOf(kind, view.metadata?.name ?? "", result))),
  ];
  return { allowed: true, patch: fixed ? [] : patch, warnings };
}

function viewOf(kind: WorkloadKind, object: JsonObject) {
  const [first, ...rest] = kind.template;
  const nested = rest.reduceRight<z.ZodType>(
    (schema, key) => z.looseObject({ [key]: schema }),
    Template,
  );
  const decoded = z.looseObject({ metadata: Metadata, [first]: nested }).safeParse(object);
  if (!decoded.success)
    return new Error(
      `${INJECT} was not carried: this is not a ${kind.kind}: ${z.prettifyError(decoded.error)}`,
    );
  const metadata = decoded.data.metadata as z.output<typeof Metadata>;
  return { metadata, template: at(object, kind.template) as Template };
}

function valueOf({ metadata }: Template): TemplateValue {
  return {
    inject: metadata?.annotations?.[INJECT],
    carried: metadata?.annotations?.[CARRIED],
  };
}

function valueBefore({ kind, operation, oldObject }: WorkloadRequest): TemplateValue | undefined {
  if (operation === "CREATE" || !oldObject) return undefined;
  const view = viewOf(kind, oldObject);
  return view instanceof Error ? undefined : valueOf(view.template);
}

/** The template with these values; an annotations object that would be left empty goes, as the API server drops it. */
function annotate(template: JsonObject, { inject, carried }: TemplateValue): JsonObject {
  const metadata = asObject(template.metadata);
  const annotations = asObject(metadata.annotations);
  if (annotations[INJECT] === inject && annotations[CARRIED] === carried) return template;
  const { [INJECT]: _inject, [CARRIED]: _carried, ...others } = annotations;
  const next: JsonObject = {
    ...others,
    ...(inject !== undefined && { [INJECT]: inject }),
    ...(carried !== undefined && { [CARRIED]: carried }),
  };
  const { annotations: _annotations, ...rest } = metadata;
  const empty = Object.keys(next).length === 0;
  return { ...template, metadata: empty ? rest : { ...rest, annotations: next } };
}

/** A pod as the workload's controller will make it. */
function podOf(kind: WorkloadKind, name: string, workload: JsonObject): JsonObject {
  const template = asObject(at(workload, kind.template));
  return {
    apiVersion: "v1",
    kind: "Pod",
    ...template,
    metadata: {
      ...asObject(template.metadata),
      generateName: `${name}-`,
      ownerReferences: [{ kind: kind.podOwner, controller: true }],
    },
  };
}

function podWarnings(admission: Admission): string[] {
  const { warnings } = admission;
  return admission.allowed
    ? [...warnings]
    : [`its pods will be refused: ${admission.message}`, ...warnings];
}

function problemText(
  problem: NonNullable<Carried["problem"]>,
  kind: string,
  own: string,
  { inject }: TemplateValue,
): string {
  const shown = own.length > 80 ? `${own.slice(0, 80)}…` : own;
  return {
    malformed: `annotation ${INJECT}: "${shown}" on the ${kind} is not carried to its pods: expected "true" or "false"`,
    overruled: `annotation ${INJECT}: "${shown}" on the ${kind} has no effect: its pod template says "${inject}"; remove it there and the ${kind} decides`,
  }[problem];
}

function fixedText(kind: string): string {
  return `annotation ${INJECT} on a ${kind} counts when it is created: its pod template cannot change any more; delete the ${kind} and create it again`;
}

function replaceTemplate(
  object: JsonObject,
  [key, ...rest]: readonly string[],
  change: (template: JsonObject) => JsonObject,
): JsonObject {
  if (key === undefined) return change(object);
  const child = asObject(object[key]);
  return { ...object, [key]: replaceTemplate(child, rest, change) };
}

function at(object: JsonObject, path: readonly string[]): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>((value, key) => asObject(value)[key], object);
}

/** `null` and nothing are an empty object, as they are to the API server. */
function asObject(value: JsonValue | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : {};
}
