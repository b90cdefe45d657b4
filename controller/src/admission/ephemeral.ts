import { isDeepStrictEqual } from "node:util";
import type { Admission, JsonObject } from "./admission.ts";
import { letThrough, refused, sentence } from "./answers.ts";
import { imageSaysAsWhom, mayBeRoot } from "./capabilities.ts";
import { type Demands, isRequired, NO_DEMANDS } from "./demands.ts";
import { OUR_CONTAINERS, PROXY_CONTAINER } from "./names.ts";
import type { InjectionOptions } from "./options.ts";
import { type PodView, readPod } from "./pod-view.ts";
import type { FixedUser, Refusal } from "./refusal.ts";
import { refusalsOf } from "./refusals.ts";
import { judgeDangers, requiredSentences } from "./refusals-required.ts";
import { rootWeaknesses } from "./refusals-weakness.ts";
import { objects } from "./sidecar-in.ts";
import { imageUserWarning, rootWarning } from "./warnings.ts";
import { asObject } from "./workload-template.ts";

/**
 * What `kubectl debug` adds to a running pod (pods/ephemeralcontainers). Judged are the containers that are new, and only
 * in a pod that has a sidecar.
 */
export function judgeEphemeral(
  pod: JsonObject,
  before: JsonObject | undefined,
  options: InjectionOptions,
  demands: Demands = NO_DEMANDS,
): Admission {
  const view = readPod(pod);
  if (!("spec" in view)) return refused(view);
  const user = sidecarsUser(view);
  if (!user) return letThrough([]);

  const old = ephemeralIn(before);
  const fresh = ephemeralIn(pod).flatMap((container, i) =>
    old.some((one) => isDeepStrictEqual(one, container)) ? [] : [i],
  );
  const added = fresh.flatMap((i) => view.spec.ephemeralContainers[i] ?? []);
  const addedOnly = {
    ...view,
    spec: { ...view.spec, initContainers: [], containers: [], ephemeralContainers: added },
  };
  const isAbout = ({ path }: Refusal) =>
    path === SHARED
      ? added.some((container) => mayBeRoot(container, view))
      : fresh.some((i) => path.startsWith(`spec.ephemeralContainers[${i}].`));
  const { dangers, conflicts } = refusalsOf(view, user);
  const ofDanger = [...dangers.filter(isAbout), ...fresh.flatMap((i) => targetsSidecar(view, i))];
  const danger = judgeDangers(ofDanger, options, demands);
  const needed = isRequired(demands);
  const reasons = [
    ...conflicts.filter(isAbout).map(sentence),
    ...danger.reasons,
    ...(needed ? requiredSentences(rootWeaknesses(view).filter(isAbout), demands) : []),
  ];
  const warnings = [
    ...danger.warnings,
    ...[
      needed ? undefined : rootWarning(addedOnly),
      imageUserWarning(added.filter((one) => imageSaysAsWhom(one, view)).map(({ name }) => name)),
    ].filter((warning) => warning !== undefined),
  ];
  return reasons.length > 0
    ? refused(reasons, warnings, reasons.some(isOfProfile) ? WITH_LESS : "this ephemeral container")
    : letThrough(warnings);
}

/** The profiles of kubectl debug differ in these, and the one that it takes by itself adds SYS_PTRACE. */
const isOfProfile = (reason: string) => /securityContext\.(capabilities|privileged)/.test(reason);
const WITH_LESS =
  "this ephemeral container (kubectl debug asks for less with --profile=restricted, or baseline)";

const SHARED = "spec.shareProcessNamespace";

/** Of the container and not of the status: nobody can change a container of a pod that is there. */
function sidecarsUser({ spec }: PodView): FixedUser | undefined {
  const proxy = [...spec.initContainers, ...spec.containers].find(
    ({ name }) => name === PROXY_CONTAINER,
  );
  return proxy && { uid: proxy.securityContext?.runAsUser, gid: proxy.securityContext?.runAsGroup };
}

/** It would share the process namespace of the container that it names. */
function targetsSidecar(pod: PodView, i: number): Refusal[] {
  const container = pod.spec.ephemeralContainers[i];
  const target = container?.targetContainerName;
  if (!container || target === undefined || !OUR_CONTAINERS.includes(target)) return [];
  return mayBeRoot(container, pod)
    ? [
        {
          path: `spec.ephemeralContainers[${i}].targetContainerName`,
          message: `root could stop or inspect ${target}; name another container, or set runAsNonRoot: true`,
        },
      ]
    : [];
}

function ephemeralIn(pod: JsonObject | undefined): JsonObject[] {
  return objects(asObject(pod?.spec).ephemeralContainers);
}
