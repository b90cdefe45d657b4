import type { Admission, JsonObject, NamespaceInjection } from "./admission.ts";
import { parseAnnotations } from "./annotations.ts";
import { letThrough, refused, sentence } from "./answers.ts";
import type { PolicyControl } from "./control.ts";
import { type Demands, forbiddenBypasses, NO_DEMANDS } from "./demands.ts";
import { diff } from "./diff.ts";
import { eject } from "./eject.ts";
import { chooseIdentity, type DrawIdentity, UID_RANGE } from "./identity.ts";
import { inject } from "./inject.ts";
import type { InjectionOptions } from "./options.ts";
import { planFor } from "./plan.ts";
import { podSecurityWarning } from "./pod-security.ts";
import { readPod } from "./pod-view.ts";
import { refusalsOf } from "./refusals.ts";
import { judgeDangers, judgeWeaknesses, whyNotWithout } from "./refusals-required.ts";
import { resourceMistakes } from "./resources.ts";
import { signatureOf } from "./signature.ts";
import { statusOf } from "./status.ts";
import { LEFT_ALONE, shouldInject } from "./verdict.ts";
import { labelWarning, overruledWarning, warningsOf } from "./warnings.ts";

/** What a pod's admission depends on besides the pod. */
export interface PodRequest {
  /** From the request: the pod itself may not name its namespace. */
  readonly namespace: string;
  readonly injection: NamespaceInjection;
  /** The Pod Security level that the namespace enforces, where that is known. */
  readonly podSecurity?: string | undefined;
  /** Where the sidecar is to get its policy; absent where it has it in its config. */
  readonly control?: PolicyControl | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Of the boundaries over the namespace. Absent: none. */
  readonly demands?: Demands | undefined;
  /** Nothing will be stored, so nothing is sealed that could be used later. */
  readonly dryRun?: boolean;
}

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

  const { demands = NO_DEMANDS } = request;
  const verdict = shouldInject(view, request.injection, demands);
  if (!verdict.inject) {
    const missing = whyNotWithout(verdict.reason, demands);
    if (missing !== undefined) return refused([missing], remarks);
    return letThrough([
      ...(verdict.askedFor ? [`no sidecar: ${LEFT_ALONE[verdict.reason]}`] : []),
      ...annotations.mistakes,
      ...remarks,
    ]);
  }

  const { dangers, conflicts } = refusalsOf(view, { uid: options.proxyUid, gid: options.proxyGid });
  const danger = judgeDangers(dangers, options, demands);
  const weakness = judgeWeaknesses(view, options, demands);
  const reasons = [
    ...annotations.mistakes,
    ...forbiddenBypasses(view.metadata?.annotations, demands),
    ...resourceMistakes(annotations.settings, options),
    ...conflicts.map(sentence),
    ...danger.reasons,
    ...weakness.reasons,
  ];
  const warnings = [
    ...(verdict.overruled ? [overruledWarning(verdict.overruled, demands)] : []),
    ...podSecurityWarning(request.podSecurity),
    ...danger.warnings,
    ...remarks,
    ...weakness.warnings,
    ...warningsOf(view, options),
  ];
  if (reasons.length > 0) return refused(reasons, warnings);

  const { namespace, control, dryRun = false } = request;
  const clean = eject(pod);
  const identity = chooseIdentity(
    { namespace, view, clean, found: statusOf(pod), nowMs: request.now, dryRun },
    options,
    draw,
  );
  if (!identity)
    return refused([
      `the pod names every id from ${UID_RANGE.first} to ${UID_RANGE.last}: none is left for the sidecar`,
    ]);
  const plan = planFor(view, { namespace, control }, annotations.settings, identity, options);
  const wanted = inject(clean, plan, {
    received: pod,
    ...(!dryRun && {
      sign: (sidecar, status) => signatureOf({ namespace, sidecar, status }, draw.sealKey),
    }),
  });
  return { ...letThrough(warnings), patch: diff(pod, wanted) };
}
