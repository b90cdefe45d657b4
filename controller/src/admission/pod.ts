import type { Admission, JsonObject, NamespaceInjection } from "./admission.ts";
import { parseAnnotations } from "./annotations.ts";
import { diff } from "./diff.ts";
import { eject } from "./eject.ts";
import { chooseIdentity, type DrawIdentity, UID_RANGE } from "./identity.ts";
import { inject } from "./inject.ts";
import type { InjectionOptions } from "./options.ts";
import { readPod } from "./pod-view.ts";
import type { Refusal } from "./refusal.ts";
import { refusalsOf } from "./refusals.ts";
import { resourceMistakes } from "./resources.ts";
import { statusOf } from "./status.ts";
import { LEFT_ALONE, shouldInject } from "./verdict.ts";
import { labelWarning, shortened, warningsOf } from "./warnings.ts";

/** What a pod's admission depends on besides the pod. */
export interface PodRequest {
  /** From the request: the pod itself may not name its namespace. */
  readonly namespace: string;
  readonly injection: NamespaceInjection;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Nothing will be stored, so nothing is sealed that could be used later. */
  readonly dryRun?: boolean;
}

const DEFAULT_GRACE_SECONDS = 30;

/**
 * What becomes of a pod: read → is it to have a sidecar? → may it? → take out what bears our names, put the sidecar in →
 * the difference. Pure but for the chance in `draw`. Any JSON object is answered.
 */
export function admitPod(
  pod: JsonObject,
  request: PodRequest,
  options: InjectionOptions,
  draw: DrawIdentity,
): Admission {
  const view = readPod(pod);
  if (!("spec" in view)) return refused(view);
  const annotations = parseAnnotations(view.metadata?.annotations);
  const remarks = [...annotations.unknown, ...labelWarning(view)];
  if (annotations.wishIsUnclear) return refused(annotations.mistakes, remarks);

  const verdict = shouldInject(view, request.injection);
  if (!verdict.inject)
    return letThrough([
      ...(verdict.askedFor ? [`no sidecar: ${LEFT_ALONE[verdict.reason]}`] : []),
      ...annotations.mistakes,
      ...remarks,
    ]);

  const { dangers, conflicts } = refusalsOf(view, { uid: options.proxyUid, gid: options.proxyGid });
  const warnOnly = options.dangerousPods === "warn";
  const reasons = [
    ...annotations.mistakes,
    ...resourceMistakes(annotations.settings, options),
    ...conflicts.map(sentence),
    ...(warnOnly ? [] : dangers.map(sentence)),
  ];
  const warnings = [
    ...(warnOnly ? dangers.map(sentence) : []),
    ...remarks,
    ...warningsOf(view, options),
  ];
  if (reasons.length > 0) return refused(reasons, warnings);

  const clean = eject(pod);
  const identity = chooseIdentity(
    {
      namespace: request.namespace,
      view,
      clean,
      found: statusOf(pod),
      nowMs: request.now,
      dryRun: request.dryRun ?? false,
    },
    options,
    draw,
  );
  if (!identity)
    return refused([
      `the pod names every id from ${UID_RANGE.first} to ${UID_RANGE.last}: none is left for the sidecar`,
    ]);
  const wanted = inject(clean, {
    options,
    settings: annotations.settings,
    identity,
    pod: { namespace: request.namespace, labels: view.metadata?.labels ?? {} },
    gracePeriodSeconds: view.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS,
    appArmorType: view.spec.securityContext?.appArmorProfile?.type,
  });
  return { ...letThrough(warnings), patch: diff(pod, wanted) };
}

function letThrough(warnings: readonly string[]) {
  return { allowed: true, patch: [], warnings: warnings.map(shortened) } as const;
}

/** More than these nobody reads at once. */
const MOST_REASONS = 20;

function refused(reasons: readonly string[], warnings: readonly string[] = []): Admission {
  const more = reasons.length - MOST_REASONS;
  const told = [...reasons.slice(0, MOST_REASONS), ...(more > 0 ? [`and ${more} more`] : [])];
  const list = told.length === 1 ? ` ${told[0]}` : told.map((reason) => `\n- ${reason}`).join("");
  return {
    allowed: false,
    message: `Sallyport refuses this pod:${list}`,
    warnings: warnings.map(shortened),
  };
}

function sentence({ path, message }: Refusal): string {
  return `${path}: ${message}`;
}
