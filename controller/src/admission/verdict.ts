import type { NamespaceInjection } from "./admission.ts";
import { INJECT } from "./names.ts";
import type { PodView } from "./pod-view.ts";

/** Why a pod is left as it is: a code for logs, a sentence for people. */
export const LEFT_ALONE = {
  opted_out: `the pod says ${INJECT}: "false"`,
  not_opted_in: `the pod does not say ${INJECT}: "true"`,
  host_network: "the pod uses hostNetwork; redirecting it would rewire the node",
  windows: "the pod is for Windows; its connections cannot be redirected by iptables",
  mirror: "the pod mirrors a static pod; the kubelet runs it from a file and not from here",
} as const;
export type LeftAlone = keyof typeof LEFT_ALONE;

export type Verdict =
  | { readonly inject: true }
  | {
      readonly inject: false;
      readonly reason: LeftAlone;
      /** Its author expects a sidecar and must hear why there is none. */
      readonly askedFor: boolean;
    };

const WINDOWS_LABELS = ["kubernetes.io/os", "beta.kubernetes.io/os"];
/** Set by the kubelet on what it reports of a static pod (Kubernetes, "Well-Known Labels, Annotations and Taints"). */
const MIRROR = "kubernetes.io/config.mirror";

/** The first that holds decides. The first two are the author's own wish; the others stand in its way. */
const GROUNDS: readonly (readonly [
  LeftAlone,
  (pod: PodView, wish: string | undefined, namespace: NamespaceInjection) => boolean,
])[] = [
  ["opted_out", (_, wish) => wish === "false"],
  ["not_opted_in", (_, wish, namespace) => namespace === "enabled" && wish !== "true"],
  ["host_network", ({ spec }) => spec.hostNetwork === true],
  [
    "windows",
    ({ spec }) =>
      spec.os?.name === "windows" ||
      WINDOWS_LABELS.some((label) => spec.nodeSelector?.[label] === "windows"),
  ],
  ["mirror", ({ metadata }) => metadata?.annotations?.[MIRROR] !== undefined],
];

/** Whether a pod is to have a sidecar, by what it says and how its namespace is labelled. */
export function shouldInject(pod: PodView, namespace: NamespaceInjection): Verdict {
  const wish = pod.metadata?.annotations?.[INJECT];
  const ground = GROUNDS.find(([, holds]) => holds(pod, wish, namespace));
  if (!ground) return { inject: true };
  const [reason] = ground;
  return {
    inject: false,
    reason,
    askedFor: reason !== "opted_out" && reason !== "not_opted_in",
  };
}
