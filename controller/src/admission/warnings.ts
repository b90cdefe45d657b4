import { rootsWithWaysPast } from "./capabilities.ts";
import { type Demands, required } from "./demands.ts";
import { INJECT, OUR_CONTAINERS } from "./names.ts";
import type { InjectionOptions } from "./options.ts";
import type { PodView } from "./pod-view.ts";
import { foreignResolvers, rootSentence } from "./refusals-weakness.ts";
import { outsideUdp } from "./sidecar.ts";
import type { Wish } from "./verdict.ts";

/** "Warnings over 256 characters and large numbers of warnings may be truncated" (admission.k8s.io/v1, AdmissionResponse). */
const MAX_WARNING = 256;

type Warning = (pod: PodView, options: InjectionOptions) => string | undefined;

/** What is refused where a boundary requires the sidecar (refusals-weakness.ts). */
const OF_WEAKNESSES: readonly Warning[] = [
  rootWarning,

  (pod, options) => {
    const cut = outsideUdp(options) === "reject" ? foreignResolvers(pod, options) : [];
    return cut.length > 0
      ? `spec.dnsConfig.nameservers: UDP to ${listed(cut)} is rejected: not a resolver that the installation names, nor in the cluster`
      : undefined;
  },
];

/** What the author of an injected pod should know. */
const WARNINGS: readonly Warning[] = [
  (pod, { sidecar }) => {
    const names = pod.spec.initContainers
      .map(({ name }) => name)
      .filter((name) => !OUR_CONTAINERS.includes(name));
    return sidecar === "ordinary" && names.length > 0
      ? `init containers run before an ordinary sidecar and can connect to nothing: ${listed(names)}`
      : undefined;
  },

  ({ metadata, spec }, { sidecar }) =>
    sidecar === "ordinary" &&
    ((spec.restartPolicy ?? "Always") !== "Always" ||
      metadata?.ownerReferences.some(({ kind }) => kind === "Job"))
      ? "the pod will not end by itself: an ordinary sidecar goes on when the app has ended"
      : undefined,
];

export function weaknessWarnings(pod: PodView, options: InjectionOptions): string[] {
  return OF_WEAKNESSES.flatMap((warning) => warning(pod, options) ?? []);
}

export function warningsOf(pod: PodView, options: InjectionOptions): string[] {
  return WARNINGS.flatMap((warning) => warning(pod, options) ?? []);
}

export function rootWarning(pod: PodView): string | undefined {
  const names = rootsWithWaysPast(pod).map(({ container }) => container.name);
  return names.length > 0 ? rootSentence(listed(names)) : undefined;
}

/** The ids of a pod that is there can be read by whoever makes the image. */
export function imageUserWarning(names: readonly string[]): string | undefined {
  return names.length > 0
    ? `${listed(names)} runs as its image's USER, and walks past the sidecar if that is the sidecar's own: set runAsUser`
    : undefined;
}

/** A pod that is given a sidecar against its author's wish. */
export function overruledWarning(wish: Wish, demands: Demands): string {
  return required(OVERRULED[wish], demands);
}

const OVERRULED: Readonly<Record<Wish, string>> = {
  opted_out: `annotation ${INJECT}: "false" is ignored`,
  not_opted_in: "the pod is given a sidecar, for which it does not ask",
};

/** Said of any pod: a wish that nobody reads. */
export function labelWarning({ metadata }: PodView): string[] {
  return metadata?.labels?.[INJECT] !== undefined
    ? [`label ${INJECT} means nothing: it is read as an annotation`]
    : [];
}

export function shortened(warning: string): string {
  if (warning.length <= MAX_WARNING) return warning;
  return `${[...warning].slice(0, MAX_WARNING - 1).join("")}…`;
}

/** The first few, and how many more. */
function listed(names: readonly string[]): string {
  const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
  return names.slice(0, 3).join(", ") + more;
}
