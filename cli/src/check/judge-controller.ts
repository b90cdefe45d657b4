import type { JsonObject } from "@sallyport/controller/admission/admission";
import { InjectionOptions } from "@sallyport/controller/admission/options";
import { asObject } from "@sallyport/controller/admission/workload-template";
import type { Installation } from "@sallyport/controller/assessment/assess";
import { VERSION } from "@sallyport/core/version";
import * as z from "zod";
import { known } from "../kubernetes/read.ts";
import { type InstallFacts, NAMES } from "./facts.ts";
import type { Finding } from "./findings.ts";
import type { Report } from "./report.ts";

/** Minor versions of Kubernetes 1. */
export const KUBERNETES = {
  /** On by default (KEP-753). */
  nativeSidecarsSince: 29,
  /** The oldest and the newest on whose API server the tests pass (SALLYPORT_KUBERNETES=1.30.14, =1.36.3). */
  oldestTried: 30,
  newestTried: 36,
} as const;

export interface ControllerState {
  readonly installation: Installation;
  readonly kubernetes: string;
  /** Absent where its Deployment may not be read, or is not there. */
  readonly controller: Report["controller"];
  /** The controller's arguments: which parts of the API it uses. */
  readonly args: readonly string[];
  readonly serviceAccount: string;
}

/** The controller as far as its objects tell, and what of it is not as it should be. */
export function judgeController(facts: InstallFacts): {
  readonly state: ControllerState;
  readonly findings: readonly Finding[];
} {
  const deployment = known(facts.deployment) ?? {};
  const spec = asObject(deployment.spec);
  const podSpec = asObject(asObject(spec.template).spec);
  const container = asObject((podSpec.containers as readonly JsonObject[] | undefined)?.[0]);
  const wanted = Number(spec.replicas ?? 1);
  const available = Number(asObject(deployment.status).availableReplicas ?? 0);
  const version = versionOf(asObject(asObject(deployment.metadata).labels), container.image);
  const options = optionsOf(facts);
  const kubernetes = asObject(known(facts.kubernetes));
  const state: ControllerState = {
    installation: {
      version: version ?? VERSION,
      ...(options && !(options instanceof Error) && { options }),
    },
    kubernetes: String(kubernetes.gitVersion ?? "unknown"),
    controller: known(facts.deployment) && {
      version: version ?? VERSION,
      available,
      wanted,
    },
    args: [container.command, container.args].flatMap((list) => (list ?? []) as string[]),
    serviceAccount: String(podSpec.serviceAccountName ?? "default"),
  };
  const usesNative = !(options && !(options instanceof Error) && options.sidecar === "ordinary");
  return {
    state,
    findings: [
      ...kubernetesFindings(kubernetes.minor, state.kubernetes, usesNative),
      ...deploymentFindings(facts, state),
      ...serviceFindings(facts),
      ...(options instanceof Error ? [configurationFinding(facts.namespace, options)] : []),
      ...(version !== undefined && version !== VERSION ? [versionFinding(version)] : []),
    ],
  };
}

/** What the chart says, or else the image's tag. */
function versionOf(labels: Readonly<Record<string, unknown>>, image: unknown): string | undefined {
  const label = labels["app.kubernetes.io/version"];
  if (typeof label === "string") return label;
  return /:(\d+\.\d+\.\d+[^:@/]*)(?:@|$)/.exec(String(image))?.[1];
}

function optionsOf({ configMap }: InstallFacts): InjectionOptions | Error | undefined {
  const text = asObject(asObject(known(configMap)).data)[NAMES.configKey];
  if (typeof text !== "string") return undefined;
  try {
    const parsed = InjectionOptions.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : new Error(z.prettifyError(parsed.error));
  } catch (error) {
    return error as Error;
  }
}

function kubernetesFindings(minor: unknown, version: string, usesNative: boolean): Finding[] {
  const number = Number.parseInt(String(minor), 10);
  const { nativeSidecarsSince, oldestTried, newestTried } = KUBERNETES;
  const subject = "kubernetes";
  if (usesNative && number < nativeSidecarsSince)
    return [
      {
        ...{ code: "kubernetes_too_old", subject },
        message: `Kubernetes ${version} starts no native sidecars: pods of labelled namespaces would wait for ever`,
        remedy: `use Kubernetes 1.${nativeSidecarsSince} or later, or sidecar: ordinary in the configuration`,
      },
    ];
  const untried = (message: string, remedy: string): Finding[] => [
    { code: "kubernetes_untried", subject, message: `Kubernetes ${version} is ${message}`, remedy },
  ];
  if (number < oldestTried)
    return untried(
      `older than 1.${oldestTried}, the oldest that this version was tried on`,
      "look for a newer Kubernetes",
    );
  if (number > newestTried)
    return untried(
      `newer than 1.${newestTried}, the newest that this version was tried on`,
      "look for a newer Sallyport",
    );
  return [];
}

function deploymentFindings(
  { deployment, namespace }: InstallFacts,
  { controller }: ControllerState,
): Finding[] {
  const subject = `${namespace}/deployment/${NAMES.deployment}`;
  if ("absent" in deployment)
    return [
      {
        ...{ code: "controller_missing", subject },
        message: "the controller's Deployment is not there",
        remedy: `install again: helm upgrade --install sallyport charts/sallyport -n ${namespace}`,
      },
    ];
  if (!controller || controller.available >= controller.wanted) return [];
  const { available, wanted } = controller;
  const look = `kubectl describe deployment ${NAMES.deployment} -n ${namespace}`;
  if (available === 0)
    return [
      {
        ...{ code: "controller_unavailable", subject },
        message: `none of the controller's ${wanted} replicas is available`,
        remedy: `see why: ${look}`,
      },
    ];
  return [
    {
      ...{ code: "controller_degraded", subject },
      message: `${available} of the controller's ${wanted} replicas are available`,
      remedy: `see why: ${look}`,
    },
  ];
}

function serviceFindings({ service, endpointSlices, namespace }: InstallFacts): Finding[] {
  const subject = `${namespace}/service/${NAMES.service}`;
  if ("absent" in service)
    return [
      {
        ...{ code: "service_missing", subject },
        message: "the Service that the webhooks name is not there",
        remedy: `install again: helm upgrade --install sallyport charts/sallyport -n ${namespace}`,
      },
    ];
  const slices = known(endpointSlices);
  if (!slices) return [];
  const ready = slices
    .flatMap((slice) => (slice.endpoints ?? []) as readonly JsonObject[])
    .filter((endpoint) => asObject(endpoint.conditions).ready !== false);
  if (ready.length > 0) return [];
  return [
    {
      ...{ code: "service_without_endpoints", subject },
      message: "the Service has no ready endpoint: the API server reaches no controller",
      remedy: `see which pods it selects: kubectl get pods -n ${namespace} --show-labels`,
    },
  ];
}

function configurationFinding(namespace: string, { message }: Error): Finding {
  return {
    code: "configuration_unusable",
    subject: `${namespace}/configmap/${NAMES.configMap}`,
    message: `this version of the command cannot read the configuration: ${message.replaceAll(/\s*\n\s*/g, " ")}`,
    remedy: `use the command of the controller's version, or mend ${NAMES.configKey}`,
  };
}

function versionFinding(version: string): Finding {
  return {
    code: "versions_differ",
    subject: "sallyport",
    message: `this command is ${VERSION}, the controller ${version}`,
    remedy: `use the command of version ${version}`,
  };
}
