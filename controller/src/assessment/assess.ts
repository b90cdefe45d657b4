import type { JsonObject, NamespaceInjection } from "../admission/admission.ts";
import { parseAnnotations } from "../admission/annotations.ts";
import { eject } from "../admission/eject.ts";
import { INIT_CONTAINER, INJECT, OUR_CONTAINERS, PROXY_CONTAINER } from "../admission/names.ts";
import type { InjectionOptions } from "../admission/options.ts";
import { admitPod } from "../admission/pod.ts";
import { type PodView, readPod } from "../admission/pod-view.ts";
import { initContainer, proxyContainer, type SidecarPlan } from "../admission/sidecar.ts";
import { type Status, statusOf } from "../admission/status.ts";
import { LEFT_ALONE, shouldInject } from "../admission/verdict.ts";
import { VERSION } from "../admission/version.ts";
import type { Assessment, Broken, Missed } from "./assessment.ts";
import { difference } from "./difference.ts";
import { objectOf, timeOf, writtenAt } from "./written.ts";

/** What a pod is measured by. */
export interface Installation {
  readonly version: string;
  /** Absent where they cannot be read: then only versions are compared. */
  readonly options?: InjectionOptions;
}

export interface Surroundings extends Installation {
  readonly namespace: string;
  readonly injection: NamespaceInjection;
  /** When the namespace's label was written at the latest; undefined where nobody tells. */
  readonly labelledAtMs: number | undefined;
}

/** A pod, as the API server stores it, measured by what it would be if it were created now. */
export function assessPod(pod: JsonObject, around: Surroundings): Assessment {
  const view = readPod(pod);
  if (!("spec" in view)) return { state: "broken", reason: "unreadable", detail: view.join("; ") };
  const verdict = shouldInject(view, around.injection);
  if (!bearsOurs(pod))
    return verdict.inject
      ? { state: "missed", reason: whyMissed(pod, around), ...refusalOf(pod, around) }
      : { state: "left_alone", reason: verdict.reason };

  const damage = damageOf(pod, view);
  if (damage) return { state: "broken", ...damage, ...refusalOf(pod, around) };
  if (!verdict.inject)
    return { state: "stale", reason: "unwanted", detail: LEFT_ALONE[verdict.reason] };
  return compared(pod, view, around);
}

/** Compares what was injected with what would be. Only a sidecar of this very version can be compared field by field. */
function compared(pod: JsonObject, view: PodView, around: Surroundings): Assessment {
  const { version, options } = around;
  const status = statusOf(pod);
  if (!status) return { state: "broken", reason: "no_status", detail: "" };
  const stale = (reason: "version" | "images" | "configuration", detail: string) =>
    ({ state: "stale", reason, detail, ...refusalOf(pod, around) }) as const;

  if (status.version !== version) return stale("version", `${status.version}, not ${version}`);
  if (!options) return { state: "injected" };
  const images = (["proxy", "init"] as const).filter(
    (name) => status.images[name] !== options.images[name],
  );
  if (images.length > 0)
    return stale(
      "images",
      images.map((name) => `${status.images[name]}, not ${options.images[name]}`).join("; "),
    );
  if (version !== VERSION) return { state: "injected" };
  const plan = planOf(view, status, around, options);
  const settings = new Set<string>();
  for (const wanted of [initContainer(plan), proxyContainer(plan)]) {
    const name = String(wanted.name);
    const found = difference(wanted, ourContainers(pod).get(name) ?? {});
    if (found.settings.length === 0 && found.fields.length > 0)
      return {
        state: "broken",
        reason: "container_changed",
        detail: `${name}: ${found.fields.join(", ")}`,
        ...refusalOf(pod, around),
      };
    for (const setting of [...found.settings, ...found.fields]) settings.add(setting);
  }
  return settings.size > 0
    ? stale("configuration", [...settings].join(", "))
    : { state: "injected" };
}

/** The plan by which the pod would be injected now, with the sidecar's user that it has. */
function planOf(
  { metadata, spec }: PodView,
  { uid, gid }: Status,
  { namespace }: Surroundings,
  options: InjectionOptions,
): SidecarPlan {
  return {
    options,
    settings: parseAnnotations(metadata?.annotations).settings,
    identity: { uid: options.proxyUid ?? uid, gid: options.proxyGid ?? gid },
    pod: { namespace, labels: metadata?.labels ?? {} },
    gracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
    appArmorType: spec.securityContext?.appArmorProfile?.type,
  };
}

function bearsOurs(pod: JsonObject): boolean {
  return ourContainers(pod).size > 0 || statusOf(pod) !== undefined;
}

/** By name, wherever they stand: first among init containers, or the sidecar first among the containers. */
function ourContainers(pod: JsonObject): ReadonlyMap<string, JsonObject> {
  const spec = objectOf(pod.spec);
  const all = [spec.initContainers, spec.containers].flatMap((list) =>
    Array.isArray(list) ? list.map(objectOf) : [],
  );
  const ours = all.filter(({ name }) => OUR_CONTAINERS.includes(String(name)));
  return new Map(ours.map((container) => [String(container.name), container]));
}

/** What can be seen of a sidecar of any version. */
function damageOf(
  pod: JsonObject,
  { spec }: PodView,
): { readonly reason: Broken; readonly detail: string } | undefined {
  const status = statusOf(pod);
  if (!status) return { reason: "no_status", detail: "" };
  const found = ourContainers(pod);
  const missing = status.containers.filter((name) => !found.has(name));
  if (missing.length > 0) return { reason: "container_missing", detail: missing.join(", ") };
  for (const [name, image] of [
    [INIT_CONTAINER, status.images.init],
    [PROXY_CONTAINER, status.images.proxy],
  ] as const) {
    const runs = String(found.get(name)?.image);
    if (runs !== image)
      return { reason: "image_changed", detail: `${name} runs ${runs}, not ${image}` };
  }
  const native = spec.initContainers.some(({ name }) => name === PROXY_CONTAINER);
  const first = spec.initContainers.slice(0, native ? 2 : 1).map(({ name }) => name);
  const wanted = native ? [INIT_CONTAINER, PROXY_CONTAINER] : [INIT_CONTAINER];
  const before = first.filter((name) => !wanted.includes(name));
  return before.length > 0 ? { reason: "not_first", detail: before.join(", ") } : undefined;
}

/** Times are whole seconds: what has the same is taken for older, which accuses nobody. */
function whyMissed(pod: JsonObject, { labelledAtMs }: Surroundings): Missed {
  const metadata = objectOf(pod.metadata);
  const created = timeOf(metadata.creationTimestamp);
  if (created === undefined || labelledAtMs === undefined) return "unknown";
  if (created <= labelledAtMs) return "before_label";
  const annotated = writtenAt(metadata, "annotations", INJECT);
  return annotated !== undefined && created < annotated ? "before_annotation" : "not_called";
}

/** Whether the pod could be created again: what came to it while it ran (a debugger) is not asked about. */
function refusalOf(
  pod: JsonObject,
  { namespace, injection, options }: Surroundings,
): { readonly refusal?: string } {
  if (!options) return {};
  const { ephemeralContainers: _, ...spec } = objectOf(eject(pod).spec);
  const answer = admitPod(
    { ...eject(pod), spec },
    { namespace, injection, now: 0, dryRun: true },
    options,
    { random: () => 0, sealKey: "believe-the-file" },
  );
  return answer.allowed ? {} : { refusal: answer.message };
}
