import type { JsonObject } from "@sallyport/controller/admission/admission";
import { INJECT, INJECTION_LABEL } from "@sallyport/controller/admission/names";
import type { InjectionOptionsInput } from "@sallyport/controller/admission/options";
import type { Surroundings } from "@sallyport/controller/assessment/assess";
import { VERSION } from "@sallyport/core/version";
import { type Any, admitted, OPTIONS, podOf } from "../pod-support.ts";

export const LABELLED = Date.parse("2026-01-01T12:00:00Z");
export const BEFORE = "2026-01-01T11:00:00Z";
export const AFTER = "2026-01-01T13:00:00Z";

export const AROUND: Surroundings = {
  namespace: "shop",
  injection: "all",
  labelledAtMs: LABELLED,
  version: VERSION,
  options: OPTIONS,
};

/** A pod as the API server keeps one: with the fields that it fills in, and who wrote which annotation when. */
export function stored(pod: JsonObject, metadata: Any = {}): JsonObject {
  const { metadata: own, spec, ...rest } = pod as Any;
  const filled = (container: Any) => ({
    imagePullPolicy: "IfNotPresent",
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    resources: {},
    ...container,
  });
  return {
    ...rest,
    metadata: {
      name: "web-1",
      namespace: "shop",
      uid: "6f1b6d0e-0000-4000-8000-000000000000",
      creationTimestamp: AFTER,
      ...own,
      ...metadata,
    },
    spec: {
      terminationGracePeriodSeconds: 30,
      dnsPolicy: "ClusterFirst",
      ...spec,
      ...(spec.initContainers && { initContainers: spec.initContainers.map(filled) }),
      containers: spec.containers.map(filled),
    },
  };
}

export function injected(
  pod: JsonObject = podOf(),
  options: InjectionOptionsInput = {},
): JsonObject {
  return stored(admitted(pod, { injection: "all" }, options));
}

/** What the API server notes of an annotation that was written after the pod was created. */
export function annotatedAt(time: string): Any {
  return {
    annotations: { [INJECT]: "true" },
    managedFields: [
      { manager: "kube-controller-manager", operation: "Update", time: BEFORE, fieldsV1: {} },
      {
        manager: "kubectl-annotate",
        operation: "Update",
        time,
        fieldsV1: { "f:metadata": { "f:annotations": { ".": {}, [`f:${INJECT}`]: {} } } },
      },
    ],
  };
}

export const LABEL_FIELDS = { "f:metadata": { "f:labels": { [`f:${INJECTION_LABEL}`]: {} } } };
