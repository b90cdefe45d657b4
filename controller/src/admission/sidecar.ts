import { INIT_CONFIG_ENV, type InitConfigInput } from "@sallyport/init/contract";
import {
  POD_NAME_ENV,
  POD_NAMESPACE_ENV,
  PORTS,
  PROXY_CONFIG_ENV,
  type ProxyConfigInput,
} from "@sallyport/proxy/contract";
import type { JsonObject } from "./admission.ts";
import type { PodSettings } from "./annotations.ts";
import type { Identity } from "./identity.ts";
import { INIT_CONTAINER, PROXY_CONTAINER } from "./names.ts";
import type { InjectionOptions } from "./options.ts";

/** Where an image holds its program, and the Node that runs it. */
const NODE = "/opt/sallyport/node";
const INIT_PROGRAM = "/opt/sallyport/init.cjs";
const PROXY_PROGRAM = "/opt/sallyport/proxy.cjs";

/** How long before the kubelet's SIGKILL a draining sidecar has to have ended. */
const DRAIN_MARGIN_MS = 5_000;
/** An ordinary sidecar is told to stop together with its app, which may still have something to say. */
const ORDINARY_DRAIN_MS = 5_000;

export interface SidecarPlan {
  readonly options: InjectionOptions;
  readonly settings: PodSettings;
  readonly identity: Identity;
  readonly gracePeriodSeconds: number;
}

/** Root with two capabilities, for as long as it takes to write the rules; whatever the pod says for the others. */
export function initContainer(plan: SidecarPlan): JsonObject {
  const { images } = plan.options;
  return {
    name: INIT_CONTAINER,
    image: images.init,
    imagePullPolicy: images.pullPolicy,
    command: [NODE, INIT_PROGRAM],
    env: [{ name: INIT_CONFIG_ENV, value: JSON.stringify(initConfig(plan)) }],
    resources: resources(plan),
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"], add: ["NET_ADMIN", "NET_RAW"] },
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsGroup: 0,
      runAsNonRoot: false,
      runAsUser: 0,
      seccompProfile: { type: "RuntimeDefault" },
    },
    terminationMessagePolicy: "FallbackToLogsOnError",
  };
}

/** Satisfies Pod Security `restricted` by its own security context, whatever the pod's says. */
export function proxyContainer(plan: SidecarPlan): JsonObject {
  const { options, identity } = plan;
  const { images } = options;
  return {
    name: PROXY_CONTAINER,
    image: images.proxy,
    imagePullPolicy: images.pullPolicy,
    command: [NODE, PROXY_PROGRAM],
    env: [
      { name: PROXY_CONFIG_ENV, value: JSON.stringify(proxyConfig(plan)) },
      fromField(POD_NAME_ENV, "metadata.name"),
      fromField(POD_NAMESPACE_ENV, "metadata.namespace"),
    ],
    ports: [{ name: "sallyport-ready", containerPort: PORTS.ready, protocol: "TCP" }],
    resources: resources(plan),
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsGroup: identity.gid,
      runAsNonRoot: true,
      runAsUser: identity.uid,
      seccompProfile: { type: "RuntimeDefault" },
    },
    terminationMessagePolicy: "FallbackToLogsOnError",
    ...(options.sidecar === "native" ? NATIVE : ORDINARY),
  };
}

/** The next init container, and so the app, waits until the probe has succeeded: until the policy is in force. */
const NATIVE: JsonObject = {
  restartPolicy: "Always",
  startupProbe: {
    httpGet: { path: "/ready", port: PORTS.ready, scheme: "HTTP" },
    periodSeconds: 1,
    timeoutSeconds: 1,
    successThreshold: 1,
    failureThreshold: 60,
  },
};

/** The kubelet starts containers in order and waits for a postStart hook: the app's container is not started before. */
const ORDINARY: JsonObject = {
  lifecycle: { postStart: { exec: { command: [NODE, PROXY_PROGRAM, "wait"] } } },
};

function initConfig({ options, settings, identity }: SidecarPlan): InitConfigInput {
  return {
    proxyPort: PORTS.outbound,
    proxyUid: identity.uid,
    proxyGid: identity.gid,
    ...(settings.includeCidrs && { includeCidrs: [...settings.includeCidrs] }),
    ...(settings.includePorts && { includePorts: [...settings.includePorts] }),
    excludeCidrs: [...(settings.excludeCidrs ?? [])],
    excludePorts: [...(settings.excludePorts ?? [])],
    resolvers: options.resolvers,
    clusterCidrs: options.clusterCidrs,
    // What audit mode would only record, the filter table must let leave.
    outsideUdp: options.outsideUdp ?? (options.policy.mode === "audit" ? "allow" : "reject"),
  };
}

function proxyConfig(plan: SidecarPlan): ProxyConfigInput {
  const { options, settings, identity, gracePeriodSeconds } = plan;
  return {
    user: { uid: identity.uid, gid: identity.gid },
    policy: options.policy,
    drain: {
      minMs: options.sidecar === "ordinary" ? ORDINARY_DRAIN_MS : 0,
      maxMs: Math.max(0, gracePeriodSeconds * 1_000 - DRAIN_MARGIN_MS),
    },
    accessLog: options.accessLog,
    logLevel: settings.logLevel ?? options.logLevel,
  };
}

/** Always set: a LimitRange or a quota of the namespace may ask for them. */
function resources({ options, settings }: SidecarPlan): JsonObject {
  return {
    requests: {
      cpu: settings.cpu ?? options.resources.requests.cpu,
      memory: settings.memory ?? options.resources.requests.memory,
    },
    limits: {
      cpu: settings.cpuLimit ?? options.resources.limits.cpu,
      memory: settings.memoryLimit ?? options.resources.limits.memory,
    },
  };
}

function fromField(name: string, fieldPath: string): JsonObject {
  return { name, valueFrom: { fieldRef: { apiVersion: "v1", fieldPath } } };
}
