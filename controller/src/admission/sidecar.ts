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
import { CA_BUNDLE_MOUNT, caBundleFile } from "./ca-bundle.ts";
import { configText } from "./config-text.ts";
import { CONTROL_MOUNTS, controlConfig, type PolicyControl, policyWithControl } from "./control.ts";
import type { Identity } from "./identity.ts";
import { INIT_CONTAINER, PROXY_CONTAINER, READY_PORT_NAME } from "./names.ts";
import type { InjectionOptions } from "./options.ts";
import { resourcesOf } from "./resources.ts";

/** Where an image holds its program, and the Node that runs it. */
const NODE = "/opt/sallyport/node";
const INIT_PROGRAM = "/opt/sallyport/init.cjs";
const PROXY_PROGRAM = "/opt/sallyport/proxy.cjs";
/**
 * V8's young generation stays at 1 MB instead of growing to 16 with the connections: at 8,000 idle ones a sidecar is
 * 3 MB smaller (npm run bench:footprint -- --idle 8000).
 */
const SMALL_HEAP = ["--max-semi-space-size=1"];
/** One arena of malloc's for all threads: the stream of policy costs 0.8 MB with it, and 1.7 without (bench/README.md). */
const ONE_ARENA = { name: "MALLOC_ARENA_MAX", value: "1" };

/** How long before the kubelet's SIGKILL a draining sidecar has to have ended; of a short grace period, half. */
const DRAIN_MARGIN_MS = 2_000;
const DRAIN_LONGEST_MS = 86_400_000;
/** An ordinary sidecar is told to stop together with its app, which may still have something to say. */
const ORDINARY_DRAIN_MS = 5_000;

export interface SidecarPlan {
  readonly options: InjectionOptions;
  readonly settings: PodSettings;
  readonly identity: Identity;
  /** What rules and their selectors look at. */
  readonly pod: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> };
  /** Absent: the policy is in its config. */
  readonly control?: PolicyControl;
  readonly gracePeriodSeconds: number;
  /** Of the pod's own security context; containers inherit it unless they say otherwise. */
  readonly appArmorType: string | undefined;
}

/**
 * What both containers say where the API server would fill in a default, and against what they would inherit. Saying the
 * defaults keeps a pod that is admitted again as it is.
 */
function common({ options, appArmorType }: SidecarPlan, security: JsonObject) {
  return {
    imagePullPolicy: options.images.pullPolicy,
    securityContext: {
      allowPrivilegeEscalation: false,
      privileged: false,
      readOnlyRootFilesystem: true,
      seccompProfile: { type: "RuntimeDefault" },
      // Only against a profile made for the app: nodes without AppArmor refuse pods that name any.
      ...(appArmorType === "Localhost" && { appArmorProfile: { type: "RuntimeDefault" } }),
      ...security,
    },
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "FallbackToLogsOnError",
  } as const;
}

/** Root with two capabilities, for as long as it takes to write the rules; whatever the pod says for the others. */
export function initContainer(plan: SidecarPlan): JsonObject {
  return {
    name: INIT_CONTAINER,
    image: plan.options.images.init,
    command: [NODE, INIT_PROGRAM],
    env: [{ name: INIT_CONFIG_ENV, value: configText(initConfig(plan)) }],
    // The sidecar's own: an init container that asks for no more than a container does adds nothing to the pod's request.
    resources: resourcesOf(plan.settings, plan.options),
    ...common(plan, {
      capabilities: { drop: ["ALL"], add: ["NET_ADMIN", "NET_RAW"] },
      runAsGroup: 0,
      runAsNonRoot: false,
      runAsUser: 0,
    }),
  };
}

/** Satisfies Pod Security `restricted` by its own security context, whatever the pod's says. */
export function proxyContainer(plan: SidecarPlan): JsonObject {
  const { options, settings, identity, control } = plan;
  const mounts = [
    ...(settings.caBundle ? [CA_BUNDLE_MOUNT] : []),
    ...(control ? CONTROL_MOUNTS : []),
  ];
  return {
    name: PROXY_CONTAINER,
    image: options.images.proxy,
    command: [NODE, ...SMALL_HEAP, PROXY_PROGRAM],
    env: [
      { name: PROXY_CONFIG_ENV, value: configText(proxyConfig(plan)) },
      fromField(POD_NAME_ENV, "metadata.name"),
      fromField(POD_NAMESPACE_ENV, "metadata.namespace"),
      ONE_ARENA,
    ],
    ports: [{ name: READY_PORT_NAME, containerPort: PORTS.ready, protocol: "TCP" }],
    resources: resourcesOf(settings, options),
    ...(mounts.length > 0 && { volumeMounts: mounts }),
    ...common(plan, {
      capabilities: { drop: ["ALL"] },
      runAsGroup: identity.gid,
      runAsNonRoot: true,
      runAsUser: identity.uid,
    }),
    ...(options.sidecar === "native" ? NATIVE : ORDINARY),
  };
}

/**
 * The next init container, and so the app, waits until the probe has succeeded: until the policy is in force. There is no
 * readiness probe: after its start the sidecar stops being ready only when the pod ends, and a sidecar that has crashed
 * makes its pod unready by itself.
 */
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
  lifecycle: { postStart: { exec: { command: [NODE, ...SMALL_HEAP, PROXY_PROGRAM, "wait"] } } },
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
    outsideUdp: outsideUdp(options),
  };
}

/** What audit mode would only record, the filter table must let leave. */
export function outsideUdp(options: InjectionOptions): "allow" | "reject" {
  return options.outsideUdp ?? (options.policy.mode === "audit" ? "allow" : "reject");
}

function proxyConfig(plan: SidecarPlan): ProxyConfigInput {
  const { options, settings, identity, control } = plan;
  const maxMs = longestDrainMs(plan);
  return {
    user: { uid: identity.uid, gid: identity.gid },
    policy: control ? policyWithControl(options) : policyFor(plan),
    ...(control && { control: controlConfig(control) }),
    ...(settings.caBundle && { upstreamTls: { caFiles: [caBundleFile(settings.caBundle)] } }),
    drain: {
      minMs: options.sidecar === "ordinary" ? Math.min(ORDINARY_DRAIN_MS, maxMs) : 0,
      maxMs,
    },
    accessLog: options.accessLog,
    logLevel: settings.logLevel ?? options.logLevel,
  };
}

/** The installation's policy as it is for this pod, in the cluster that the installation knows. */
function policyFor({ options, pod }: SidecarPlan): ProxyConfigInput["policy"] {
  const { policy, clusterCidrs, resolvers } = options;
  const { cluster } = policy;
  return {
    ...policy,
    pod: { ...policy.pod, ...pod },
    cluster: { ...cluster, ranges: [...new Set([...cluster.ranges, ...clusterCidrs])] },
    resolvers: policy.resolvers.length > 0 ? policy.resolvers : resolvers,
  };
}

function longestDrainMs({ gracePeriodSeconds }: SidecarPlan): number {
  const graceMs = Math.max(0, gracePeriodSeconds) * 1_000;
  return Math.min(Math.max(graceMs - DRAIN_MARGIN_MS, graceMs / 2), DRAIN_LONGEST_MS);
}

function fromField(name: string, fieldPath: string): JsonObject {
  return { name, valueFrom: { fieldRef: { apiVersion: "v1", fieldPath } } };
}
