import { isDeepStrictEqual } from "node:util";
import { INIT_CONFIG_ENV } from "@sallyport/init/contract";
import { PROXY_CONFIG_ENV } from "@sallyport/proxy/contract";
import type { JsonObject, JsonValue } from "../admission/admission.ts";
import type { PolicyControl } from "../admission/control.ts";
import { eject } from "../admission/eject.ts";
import { inject } from "../admission/inject.ts";
import { changesOf } from "../admission/intact.ts";
import { INIT_CONTAINER, PROXY_CONTAINER } from "../admission/names.ts";
import type { PodNetwork } from "../admission/network.ts";
import type { SidecarPlan } from "../admission/sidecar.ts";
import { objects, ourContainer, sidecarIn } from "../admission/sidecar-in.ts";
import { asObject } from "../admission/workload-template.ts";

/** How a pod's sidecar differs from the one that the pod would be given now, by a program of the same version. */
export interface Difference {
  /** Of the configurations of its two containers, what the installation or the pod now says otherwise. */
  readonly settings: readonly string[];
  /** Everything else, a path and a sentence each. */
  readonly changes: readonly string[];
}

const CONFIGS: readonly string[] = [INIT_CONFIG_ENV, PROXY_CONFIG_ENV];

/** Autoscalers and in-place resize may change these. */
const RESOURCES = /^spec\.(initContainers|containers)\[\d+\]\.resources\b/;

export function differenceFrom(plan: SidecarPlan, pod: JsonObject): Difference {
  const wanted = inject(eject(pod), plan, { received: pod });
  const sidecar = sidecarIn(wanted);
  const settings = [...sidecar.initContainers, ...sidecar.containers].flatMap((container) =>
    differing(configOf(ourContainer(pod, container.name)), configOf(container)),
  );
  return {
    settings: [...new Set(settings)],
    changes: changesOf(pod, sidecar, wanted)
      .filter(({ path }) => !RESOURCES.test(path))
      .map(({ path, message }) => `${path}: ${message}`),
  };
}

/** Where a pod's sidecar is given its policy, by what it is told; undefined where it has it in its config. */
export function controlIn(pod: JsonObject): PolicyControl | undefined {
  const { control } = configOf(ourContainer(pod, PROXY_CONTAINER)) ?? {};
  const { host, port, ca } = asObject(control);
  return typeof host === "string" && typeof port === "number" && typeof ca === "string"
    ? { host, port, ca }
    : undefined;
}

/**
 * What a pod's sidecar was told of its cluster: that changes, and what was right is not wrong for it. What the installation
 * says has to be in it all the same.
 */
export function networkIn(pod: JsonObject): PodNetwork | undefined {
  const told = configOf(ourContainer(pod, INIT_CONTAINER));
  return told && { resolvers: strings(told.resolvers), ranges: strings(told.clusterCidrs) };
}

const strings = (value: JsonValue | undefined): string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];

/** What a container of ours is told; undefined where that cannot be read. */
function configOf(container: JsonObject | undefined): JsonObject | undefined {
  const variable = objects(container?.env).find(({ name }) => CONFIGS.includes(String(name)));
  try {
    return asObject(JSON.parse(String(variable?.value)));
  } catch {
    return undefined;
  }
}

/** The names of what differs, of two that can be read. */
function differing(found: JsonObject | undefined, wanted: JsonObject | undefined): string[] {
  if (!found || !wanted) return [];
  const keys = new Set([...Object.keys(wanted), ...Object.keys(found)]);
  return [...keys].filter((key) => !isDeepStrictEqual(found[key], wanted[key]));
}
