import type { Admission, JsonObject } from "./admission.ts";
import { parseAnnotations } from "./annotations.ts";
import { letThrough, refused, sentence } from "./answers.ts";
import { forbiddenBypasses, NO_DEMANDS } from "./demands.ts";
import { eject } from "./eject.ts";
import { type DrawIdentity, isPossible } from "./identity.ts";
import { inject } from "./inject.ts";
import { changesOf } from "./intact.ts";
import { INIT_CONTAINER, OUR_CONTAINERS, PROXY_CONTAINER, STATUS } from "./names.ts";
import type { InjectionOptions } from "./options.ts";
import { planFor } from "./plan.ts";
import type { PodRequest } from "./pod.ts";
import { type PodView, readPod } from "./pod-view.ts";
import type { Refusal } from "./refusal.ts";
import { refusalsOf } from "./refusals.ts";
import { judgeDangers, judgeWeaknesses, whyNotWithout } from "./refusals-required.ts";
import { resourceMistakes } from "./resources.ts";
import { sidecarIn } from "./sidecar-in.ts";
import { isSigned } from "./signature.ts";
import { type Status, signedStatus, statusOf } from "./status.ts";
import { LEFT_ALONE, shouldInject } from "./verdict.ts";

export interface FinalPodRequest extends PodRequest {
  /** False while pods may still come past the webhook that puts the sidecar in. Absent: none can. */
  readonly guarded?: boolean | undefined;
}

const AS_IT_IS =
  "this pod as it is after every webhook (a mutating webhook that runs after Sallyport's has changed it)";
/** No other replica can be known for its maker (signature.ts). */
const UNSIGNED =
  "this pod as it is after every webhook (a mutating webhook that runs after Sallyport's has changed it; or, as it is not signed, which is so in a dry run: Sallyport's controllers are being replaced by others of another version or configuration, and it passes once all are)";

/**
 * The pod as it will be stored, when every mutating webhook has been called: ours first and intact, and nothing in it that
 * it would have been refused for. Nothing is changed any more. Any JSON object is answered.
 */
export function judgeFinalPod(
  pod: JsonObject,
  request: FinalPodRequest,
  options: InjectionOptions,
  { sealKey }: Pick<DrawIdentity, "sealKey">,
): Admission {
  const view = readPod(pod);
  if (!("spec" in view)) return refused(view);
  const annotations = parseAnnotations(view.metadata?.annotations);
  if (annotations.wishIsUnclear) return refused(annotations.mistakes, [], AS_IT_IS);

  const { demands = NO_DEMANDS, guarded = true } = request;
  const verdict = shouldInject(view, request.injection, demands);
  const bearsOurs = ourNamesIn(view);
  if (!verdict.inject) {
    const missing = whyNotWithout(verdict.reason, demands);
    if (missing !== undefined) return refused([missing]);
    if (bearsOurs.length === 0) return letThrough([]);
    const why = LEFT_ALONE[verdict.reason];
    return verdict.reason === "host_network" || verdict.reason === "windows"
      ? refused([`${bearsOurs.join(", ")} cannot be in it: ${why}`], [], AS_IT_IS)
      : letThrough([`${bearsOurs.join(", ")} in this pod is not looked at by Sallyport: ${why}`]);
  }
  if (bearsOurs.length === 0) return guarded ? refused([NO_SIDECAR]) : letThrough([TOO_EARLY]);

  const status = statusOf(pod);
  const identity = status && idsOf(status);
  const fixed = { uid: options.proxyUid, gid: options.proxyGid };
  const { dangers, conflicts } = refusalsOf(view, identity ?? fixed);
  const danger = judgeDangers(dangers, options, demands);
  const signed = status && isSignedPod(pod, status.signature, request.namespace, sealKey);
  const changes = signed ? [] : sidecarChanges(pod, view, request, options, status);
  const reasons = [
    ...annotations.mistakes,
    ...forbiddenBypasses(view.metadata?.annotations, demands),
    ...resourceMistakes(annotations.settings, options),
    ...conflicts.map(sentence),
    ...danger.reasons,
    ...judgeWeaknesses(view, options, demands).reasons,
    ...changes.map(sentence),
  ];
  const unsigned = changes.length > 0 && status !== undefined && status.signature === undefined;
  return reasons.length > 0
    ? refused(reasons, danger.warnings, unsigned ? UNSIGNED : AS_IT_IS)
    : letThrough(danger.warnings);
}

const NO_SIDECAR = `it is to have a sidecar and has neither ${INIT_CONTAINER} nor ${PROXY_CONTAINER}: Sallyport's mutating webhook was not called, or another one took them out; the MutatingWebhookConfigurations say which are called`;
/** What `failurePolicy: Ignore` has let pass is not refused one step later: no pod could be created (docs/adr/008). */
const TOO_EARLY =
  "no sidecar: Sallyport is being installed, and its mutating webhook was not reached yet; create the pod again once `sallyport check` finds nothing wrong";

function ourNamesIn({ spec }: PodView): string[] {
  return [...spec.initContainers, ...spec.containers]
    .map(({ name }) => name)
    .filter((name) => OUR_CONTAINERS.includes(name));
}

/** Made by another replica, whose version or configuration may be another one. */
function isSignedPod(
  pod: JsonObject,
  signature: string | undefined,
  namespace: string,
  key: DrawIdentity["sealKey"],
): boolean {
  const signed = { namespace, sidecar: sidecarIn(pod), status: signedStatus(pod) };
  return isSigned(signature, signed, key);
}

/** Compared with what this controller would have put in for the ids that the pod shows. */
function sidecarChanges(
  pod: JsonObject,
  view: PodView,
  { namespace, control }: PodRequest,
  options: InjectionOptions,
  status: Status | undefined,
): Refusal[] {
  const path = `metadata.annotations[${STATUS}]`;
  if (!status) return [{ path, message: "it is gone, or no status of Sallyport's" }];
  if (!isPossible(status.uid, options.proxyUid) || !isPossible(status.gid, options.proxyGid))
    return [
      { path, message: `no sidecar of this installation has uid ${status.uid}, gid ${status.gid}` },
    ];
  const { settings } = parseAnnotations(view.metadata?.annotations);
  const plan = planFor(view, { namespace, control }, settings, idsOf(status), options);
  const wanted = inject(eject(pod), plan, { received: pod });
  return changesOf(pod, sidecarIn(wanted), wanted);
}

function idsOf({ uid, gid, seal }: Status) {
  return { uid, gid, ...(seal !== undefined && { seal }) };
}
