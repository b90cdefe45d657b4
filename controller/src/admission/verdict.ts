import type { NamespaceInjection } from "./admission.ts";
import { type Demands, isRequired, NO_DEMANDS } from "./demands.ts";
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

const WISHES = ["opted_out", "not_opted_in"] as const satisfies readonly LeftAlone[];
export type Wish = (typeof WISHES)[number];

export type Verdict =
  | {
      readonly inject: true;
      /** What its author wished for, where a boundary requires the sidecar. */
      readonly overruled?: Wish;
    }
  | {
      readonly inject: false;
      readonly reason: LeftAlone;
      /** Its author expects a sidecar and must hear why there is none. */
      readonly askedFor: boolean;
    };

const WINDOWS_LABELS = ["kubernetes.io/os", "beta.kubernetes.io/os"];
/** Set by the kubelet on what it reports of a static pod (Kubernetes, "Well-Known Labels, Annotations and Taints"). */
const MIRROR = "kubernetes.io/config.mirror";

/**
 * The first that holds decides. The first two are the author's own wish; the others stand in its way. Of these a mirror
 * comes first: the others are refused where a boundary requires the sidecar, and to refuse a mirror would only hide a pod
 * that the kubelet runs.
 */
const GROUNDS: readonly (readonly [
  LeftAlone,
  (pod: PodView, wish: string | undefined, namespace: NamespaceInjection) => boolean,
])[] = [
  ["opted_out", (_, wish) => wish === "false"],
  ["not_opted_in", (_, wish, namespace) => namespace === "enabled" && wish !== "true"],
  ["mirror", ({ metadata }) => metadata?.annotations?.[MIRROR] !== undefined],
  ["host_network", ({ spec }) => spec.hostNetwork === true],
  [
    "windows",
    ({ spec }) =>
      spec.os?.name === "windows" ||
      WINDOWS_LABELS.some((label) => spec.nodeSelector?.[label] === "windows"),
  ],
];

/** Whether a pod is to have a sidecar, by what it says, how its namespace is labelled and what boundaries demand. */
export function shouldInject(
  pod: PodView,
  namespace: NamespaceInjection,
  demands: Demands = NO_DEMANDS,
): Verdict {
  const wish = pod.metadata?.annotations?.[INJECT];
  const grounds = GROUNDS.filter(([, holds]) => holds(pod, wish, namespace)).map(([code]) => code);
  const overruled = isRequired(demands) ? grounds.find(isWish) : undefined;
  const reason = isRequired(demands) ? grounds.find((code) => !isWish(code)) : grounds[0];
  if (!reason) return { inject: true, ...(overruled && { overruled }) };
  return { inject: false, reason, askedFor: !isWish(reason) };
}

function isWish(code: LeftAlone): code is Wish {
  return (WISHES as readonly LeftAlone[]).includes(code);
}
