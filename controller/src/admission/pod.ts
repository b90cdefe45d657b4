import * as z from "zod";
import type { Admission, JsonObject, NamespaceInjection } from "./admission.ts";
import { type ParsedAnnotations, parseAnnotations } from "./annotations.ts";
import { diff } from "./diff.ts";
import { eject } from "./eject.ts";
import { chooseIdentity, type DrawIdentity } from "./identity.ts";
import { inject } from "./inject.ts";
import { INJECT, PREFIX } from "./names.ts";
import type { InjectionOptions } from "./options.ts";
import { PodView } from "./pod-view.ts";
import { parseQuantity } from "./quantity.ts";
import { type Refusal, refusalsOf, rootWarning } from "./refusals.ts";
import { statusOf } from "./status.ts";
import { LEFT_ALONE, shouldInject } from "./verdict.ts";

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
 * What becomes of a pod: decoded → shall it be injected? → may it be? → what was ours taken out, the sidecar put in → the
 * difference. Pure but for the chance in `draw`. Any JSON object is answered.
 */
export function admitPod(
  pod: JsonObject,
  request: PodRequest,
  options: InjectionOptions,
  draw: DrawIdentity,
): Admission {
  const decoded = PodView.safeParse(pod);
  if (!decoded.success)
    return refused([`this is not a v1/Pod:\n${z.prettifyError(decoded.error)}`]);
  const annotations = parseAnnotations(decoded.data.metadata?.annotations);
  const wrongWish = annotations.mistakes.filter((m) => m.startsWith(`annotation ${INJECT}:`));
  if (wrongWish.length > 0) return refused(wrongWish);

  const verdict = shouldInject(decoded.data, request.injection);
  if (!verdict.inject)
    return {
      allowed: true,
      patch: [],
      warnings: verdict.askedFor ? [`no sidecar: ${LEFT_ALONE[verdict.reason]}`] : [],
    };

  const clean = eject(pod);
  const view = PodView.parse(clean);
  const dangers = refusalsOf(view, fixedUser(options)).map(
    ({ path, message }: Refusal) => `${path}: ${message}`,
  );
  const mistakes = [...annotations.mistakes, ...resourceMistakes(annotations, options)];
  const fatal = options.dangerousPods === "reject" ? [...mistakes, ...dangers] : mistakes;
  const warnings = [
    ...(options.dangerousPods === "warn" ? dangers : []),
    ...annotations.unknown,
    ...ordinaryWarnings(view, options),
    ...[rootWarning(view) ?? []].flat(),
  ];
  if (fatal.length > 0) return refused(fatal, warnings);

  const identity = chooseIdentity(
    {
      view,
      subject: subjectOf(view, request.namespace),
      found: statusOf(pod),
      nowMs: request.now,
      seal: request.dryRun !== true,
    },
    options,
    draw,
  );
  const wanted = inject(clean, {
    options,
    settings: annotations.settings,
    identity,
    gracePeriodSeconds: view.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS,
  });
  return { allowed: true, patch: diff(pod, wanted), warnings };
}

/** What no other webhook changes between two calls for the same request. */
function subjectOf({ metadata }: PodView, namespace: string): string {
  return JSON.stringify([namespace, metadata?.generateName ?? "", metadata?.name ?? ""]);
}

function refused(reasons: readonly string[], warnings: readonly string[] = []): Admission {
  return { allowed: false, message: `Sallyport: ${reasons.join("; ")}`, warnings };
}

/** The API server would refuse the pod for these, with a message about a container that its author never wrote. */
function resourceMistakes({ settings }: ParsedAnnotations, { resources }: InjectionOptions) {
  return (["cpu", "memory"] as const).flatMap((what) => {
    const request = settings[what] ?? resources.requests[what];
    const limit = settings[`${what}Limit`] ?? resources.limits[what];
    const [asked, most] = [parseQuantity(what, request), parseQuantity(what, limit)];
    return typeof asked === "bigint" && typeof most === "bigint" && asked > most
      ? [
          `the sidecar would request ${what} ${request}, above its limit ${limit}: lower ${PREFIX}proxy-${what} or raise ${PREFIX}proxy-${what}-limit`,
        ]
      : [];
  });
}

/** The one user that no container may be, where an installation has fixed it. */
function fixedUser({ proxyUid, proxyGid }: InjectionOptions) {
  return proxyUid === undefined ? undefined : { uid: proxyUid, gid: proxyGid ?? proxyUid };
}

/** What an ordinary sidecar cannot do and a native one can. */
function ordinaryWarnings({ metadata, spec }: PodView, { sidecar }: InjectionOptions): string[] {
  if (sidecar !== "ordinary") return [];
  const warnings: string[] = [];
  if (spec.initContainers.length > 0)
    warnings.push(
      `init containers run before the sidecar and can connect to nothing: ${spec.initContainers.map(({ name }) => name).join(", ")}`,
    );
  if (metadata?.ownerReferences.some(({ kind }) => kind === "Job"))
    warnings.push("the Job will not end by itself: an ordinary sidecar goes on after the app");
  return warnings;
}
