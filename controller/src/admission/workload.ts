import * as z from "zod";
import type { Admission, JsonObject } from "./admission.ts";
import { type Carried, carry } from "./carried.ts";
import { diff } from "./diff.ts";
import { INJECT, PREFIX } from "./names.ts";
import { WORKLOAD_KINDS, type WorkloadKind } from "./workload-kinds.ts";
import { asObject, templateAt, valueIn, withValue } from "./workload-template.ts";

export interface WorkloadRequest {
  readonly kind: WorkloadKind;
  readonly operation: "CREATE" | "UPDATE";
  readonly object: JsonObject;
  readonly oldObject: JsonObject | undefined;
}

/**
 * Carries `sallyport.dev/inject` into the pod template, and asks the pod webhook's judgement, `admitPodOf`, what will
 * become of the pods. A convenience: whatever it finds, the workload is let through.
 */
export function admitWorkload(
  { kind, object, oldObject, operation }: WorkloadRequest,
  admitPodOf: (pod: JsonObject) => Admission,
): Admission {
  const decoded = SCHEMAS.get(kind)?.safeParse(object);
  if (!decoded?.success) return untouched([unreadable(kind, decoded?.error)]);
  const { annotations, name, ownerReferences } = decoded.data.metadata ?? {};
  const own = annotations?.[INJECT];
  const carried = carry({
    own,
    template: valueIn(templateAt(object, kind.template)),
    before: oldObject && valueIn(templateAt(oldObject, kind.template)),
    inherited: (ownerReferences ?? []).some(
      (owner) => owner.controller === true && owner.kind === kind.copiedFrom,
    ),
  });
  const wanted = withValue(object, kind.template, carried.template);
  const patch = diff(object, wanted);
  const tooLate = operation === "UPDATE" && kind.templateIsFixed && patch.length > 0;
  const verdict = admitPodOf(podOf(kind, name ?? "", tooLate ? object : wanted));
  return {
    allowed: true,
    patch: tooLate ? [] : patch,
    warnings: [
      ...carryWarnings(kind.kind, own ?? "", carried),
      ...strayWarnings(kind.kind, annotations ?? {}),
      ...(tooLate ? [tooLateText(kind.kind)] : []),
      ...(verdict.allowed ? [] : [`its pods will be refused: ${verdict.message}`]),
      ...verdict.warnings,
    ],
  };
}

const Annotations = z.record(z.string(), z.string()).nullish();
const Owner = z.looseObject({ kind: z.string().nullish(), controller: z.boolean().nullish() });

const SCHEMAS = new Map(
  WORKLOAD_KINDS.map((kind) => {
    const template = z.looseObject({
      metadata: z.looseObject({ annotations: Annotations }).nullish(),
    });
    const [first, ...rest] = kind.template;
    const inside = rest.reduceRight<z.ZodType>(
      (schema, key) => z.looseObject({ [key]: schema }),
      template,
    );
    const metadata = z
      .looseObject({
        name: z.string().nullish(),
        annotations: Annotations,
        ownerReferences: z.array(Owner).nullish(),
      })
      .nullish();
    return [kind, z.looseObject({ metadata, [first]: inside } as { metadata: typeof metadata })];
  }),
);

/** A pod as the workload's controller will make it. */
function podOf(kind: WorkloadKind, name: string, workload: JsonObject): JsonObject {
  const template = templateAt(workload, kind.template);
  return {
    ...template,
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...asObject(template.metadata),
      generateName: `${name}-`,
      ownerReferences: [{ kind: kind.podOwner, controller: true }],
    },
  };
}

function untouched(warnings: readonly string[]): Admission {
  return { allowed: true, patch: [], warnings };
}

function unreadable({ kind }: WorkloadKind, error: z.ZodError | undefined): string {
  const mistakes = error ? `: ${z.prettifyError(error)}` : "";
  return `${INJECT} is not carried to the pods: this is not a ${kind}${mistakes}`;
}

function carryWarnings(kind: string, own: string, { problem, template }: Carried): string[] {
  const on = `annotation ${INJECT}: "${own.length > 80 ? `${own.slice(0, 80)}…` : own}" on the ${kind}`;
  switch (problem) {
    case "malformed":
      return [`${on} is not carried to its pods: expected "true" or "false"`];
    case "overruled":
      return [
        `${on} has no effect: its pod template says "${template.inject}"; remove it there and the ${kind} decides`,
      ];
    default:
      return [];
  }
}

/** Whoever writes the others on a workload means its pods. */
function strayWarnings(kind: string, annotations: Readonly<Record<string, string>>): string[] {
  const stray = Object.keys(annotations).filter(
    (name) => name.startsWith(PREFIX) && name !== INJECT,
  );
  return stray.map(
    (name) =>
      `annotation ${name.slice(0, 80)} on the ${kind} means nothing: of all, only ${INJECT} is carried to its pods; write it in its pod template`,
  );
}

function tooLateText(kind: string): string {
  return `annotation ${INJECT} on a ${kind} counts when it is created: its pod template cannot change any more; delete the ${kind} and create it again`;
}
