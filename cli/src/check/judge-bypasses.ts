import type { JsonObject } from "@sallyport/controller/admission/admission";
import { asObject } from "@sallyport/controller/admission/workload-template";
import { BYPASS_ANNOTATIONS, type EgressBoundary } from "@sallyport/core/rules";
import type { Labels } from "@sallyport/core/selector";
import { boundariesOver } from "../fleet/differences.ts";
import { workloadOf } from "../fleet/each-sidecar.ts";
import type { Finding } from "./findings.ts";

/** A workload whose pods have part of their connections pass by the sidecar. */
export interface Bypass {
  readonly workload: string;
  /** `exclude-outbound-ports: 5432`, each as its pods have it. */
  readonly annotations: readonly (readonly [(typeof BYPASS_ANNOTATIONS)[number], string])[];
}

const PREFIX = "sallyport.dev/";

/** Undefined where the pod has none. */
export function bypassOf(pod: JsonObject): Bypass | undefined {
  const its = asObject(asObject(pod.metadata).annotations);
  const annotations = BYPASS_ANNOTATIONS.flatMap((name) => {
    const value = its[PREFIX + name];
    return typeof value === "string" && value.trim() !== "" ? [[name, value] as const] : [];
  });
  return annotations.length > 0 ? { workload: workloadOf(pod), annotations } : undefined;
}

export function judgeBypasses(
  bypasses: readonly Bypass[],
  labels: Labels,
  boundaries: readonly EgressBoundary[],
): Finding[] {
  const over = boundariesOver(boundaries, labels);
  const once = new Map(bypasses.map((each) => [JSON.stringify(each), each]));
  return [...once.values()].map(({ workload, annotations }) => {
    const [namespace, kind, name] = workload.split("/");
    const against = annotations.flatMap(([annotation]) =>
      over
        .filter(({ spec }) => spec.workloadOverrides?.includes(annotation) === false)
        .map(({ metadata }) => `boundary ${metadata.name} does not permit ${annotation}`),
    );
    const said = annotations.map(([annotation, value]) => `${annotation}: ${value}`).join("; ");
    return {
      ...({
        code: against.length > 0 ? "bypass_not_permitted" : "bypass_in_use",
        subject: workload,
      } as const),
      message: `what its pods send there passes by the sidecar, and no rule is asked (${said})${against.map((each) => `; ${each}`).join("")}`,
      remedy: `where that is not meant, take ${PREFIX}${annotations[0]?.[0]} out of its pod template: kubectl edit ${kind} ${name} -n ${namespace}`,
    };
  });
}
