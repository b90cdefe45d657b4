import { VERSION } from "@sallyport/core/version";
import type { JsonObject, NamespaceInjection } from "../admission/admission.ts";
import { parseAnnotations } from "../admission/annotations.ts";
import type { PolicyControl } from "../admission/control.ts";
import { type Demands, isRequired, NO_DEMANDS } from "../admission/demands.ts";
import { eject } from "../admission/eject.ts";
import { INIT_CONTAINER, INJECT, OUR_CONTAINERS, PROXY_CONTAINER } from "../admission/names.ts";
import { optionsFor } from "../admission/network.ts";
import type { InjectionOptions } from "../admission/options.ts";
import { planFor } from "../admission/plan.ts";
import { admitPod } from "../admission/pod.ts";
import { type PodView, readPod } from "../admission/pod-view.ts";
import { ourContainer } from "../admission/sidecar-in.ts";
import { type Status, statusOf } from "../admission/status.ts";
import { LEFT_ALONE, type LeftAlone, shouldInject } from "../admission/verdict.ts";
import { asObject } from "../admission/workload-template.ts";
import type { Assessment, Broken, Missed } from "./assessment.ts";
import { controlIn, differenceFrom, networkIn } from "./difference.ts";
import { timeOf, writtenAt } from "./written.ts";

/** What pods are measured by. */
export interface Installation {
  readonly version: string;
  /** Absent where they cannot be read: then versions alone are compared. */
  readonly options?: InjectionOptions;
  /** Where sidecars are given their policy; absent where that is not known: then what a pod says is taken for right. */
  readonly control?: PolicyControl | undefined;
}

export interface Surroundings extends Installation {
  readonly namespace: string;
  readonly injection: NamespaceInjection;
  /** Of the boundaries over the namespace. Absent: none. */
  readonly demands?: Demands | undefined;
  /** When the namespace's label was written at the latest; undefined where nobody tells. */
  readonly labelledAtMs: number | undefined;
}

/** A pod, as the API server stores it, measured by what it would be if it were created now. */
export function assessPod(pod: JsonObject, around: Surroundings): Assessment {
  const view = readPod(pod);
  if (!("spec" in view)) return { state: "broken", reason: "unreadable", detail: view.join("; ") };
  const verdict = shouldInject(view, around.injection, around.demands);
  const status = statusOf(pod);
  if (!status && OUR_CONTAINERS.every((name) => !ourContainer(pod, name))) {
    if (!verdict.inject && !isMissing(verdict.reason, around))
      return { state: "left_alone", reason: verdict.reason };
    const reason =
      verdict.inject && !verdict.overruled ? whyMissed(pod, around) : "boundary_requires";
    return { state: "missed", reason, ...refusalOf(pod, around) };
  }
  if (!status)
    return { state: "broken", reason: "no_status", detail: "", ...refusalOf(pod, around) };

  const damage = damageOf(pod, view, status);
  if (damage) return { state: "broken", ...damage, ...refusalOf(pod, around) };
  if (!verdict.inject)
    return { state: "stale", reason: "unwanted", detail: LEFT_ALONE[verdict.reason] };
  const other = comparison(pod, view, status, around);
  return other ? { ...other, ...refusalOf(pod, around) } : { state: "injected" };
}

/** How a sidecar, whole as it is, differs from what would be injected now. */
function comparison(
  pod: JsonObject,
  view: PodView,
  status: Status,
  { namespace, version, options: said, demands, control = controlIn(pod) }: Surroundings,
): Extract<Assessment, { state: "stale" | "broken" }> | undefined {
  if (status.version !== version)
    return { state: "stale", reason: "version", detail: `${status.version}, not ${version}` };
  if (!said) return undefined;
  const options = optionsFor(said, demands, control && networkIn(pod));
  const images = (["proxy", "init"] as const)
    .map((name) => ({ runs: status.images[name], wanted: options.images[name] }))
    .filter(({ runs, wanted }) => runs !== wanted)
    .map(({ runs, wanted }) => `${runs}, not ${wanted}`);
  if (images.length > 0) return { state: "stale", reason: "images", detail: images.join("; ") };
  if (version !== VERSION) return undefined; // what another version makes of the options is not known here

  const { uid, gid, seal } = status;
  const identity = { uid: options.proxyUid ?? uid, gid: options.proxyGid ?? gid, seal };
  const { settings: own } = parseAnnotations(view.metadata?.annotations);
  const { settings, changes } = differenceFrom(
    planFor(view, { namespace, control }, own, identity, options),
    pod,
  );
  if (settings.length > 0)
    return { state: "stale", reason: "configuration", detail: settings.join(", ") };
  if (changes.length === 0) return undefined;
  return { state: "broken", reason: "changed", detail: changes.join("; ") };
}

/** What can be seen of a sidecar of any version. */
function damageOf(
  pod: JsonObject,
  { spec }: PodView,
  status: Status,
): { readonly reason: Broken; readonly detail: string } | undefined {
  const missing = status.containers.filter((name) => !ourContainer(pod, name));
  if (missing.length > 0) return { reason: "container_missing", detail: missing.join(", ") };
  for (const [name, image] of [
    [INIT_CONTAINER, status.images.init],
    [PROXY_CONTAINER, status.images.proxy],
  ] as const) {
    const runs = String(ourContainer(pod, name)?.image);
    if (runs !== image)
      return { reason: "image_changed", detail: `${name} runs ${runs}, not ${image}` };
  }
  const names = spec.initContainers.map(({ name }) => name);
  const last = Math.max(...OUR_CONTAINERS.map((name) => names.indexOf(name)));
  const before = names.slice(0, last).filter((name) => !OUR_CONTAINERS.includes(name));
  return before.length > 0 ? { reason: "not_first", detail: before.join(", ") } : undefined;
}

/** Of a pod that cannot be injected: it would be refused now. */
function isMissing(reason: LeftAlone, { demands = NO_DEMANDS }: Surroundings): boolean {
  return isRequired(demands) && reason !== "mirror";
}

/** Times are whole seconds: what has the same is taken for older, which accuses nobody. */
function whyMissed(pod: JsonObject, { labelledAtMs }: Surroundings): Missed {
  const metadata = asObject(pod.metadata);
  const created = timeOf(metadata.creationTimestamp);
  if (created === undefined || labelledAtMs === undefined) return "unknown";
  if (created <= labelledAtMs) return "before_label";
  const annotated = writtenAt(metadata, "annotations", INJECT);
  return annotated !== undefined && created < annotated ? "before_annotation" : "not_called";
}

/** Whether the pod could be created again: what came to it while it ran (a debugger) is not asked about. */
function refusalOf(
  pod: JsonObject,
  { namespace, injection, demands, options }: Surroundings,
): { readonly refusal?: string } {
  if (!options) return {};
  const clean = eject(pod);
  const { ephemeralContainers: _, ...spec } = asObject(clean.spec);
  const answer = admitPod(
    { ...clean, spec },
    { namespace, injection, demands, now: 0, dryRun: true },
    optionsFor(options, demands, networkIn(pod)),
    { random: () => 0, sealKey: "believe-the-file" },
  );
  return answer.allowed ? {} : { refusal: answer.message };
}
