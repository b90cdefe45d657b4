import { capabilityName, mayBeRoot } from "./capabilities.ts";
import { containersOf } from "./pod-view.ts";
import type { Check } from "./refusal.ts";

const DANGEROUS: Readonly<Record<string, string>> = {
  ALL: "includes NET_ADMIN",
  NET_ADMIN: "can take the redirect away",
  SYS_ADMIN: "can enter other namespaces and mount what it likes",
  BPF: "can load programs that steer packets",
  SYS_PTRACE: "can read and change the sidecar's process",
};

/** With these a pod could walk past its sidecar (docs/reference/refused-pods.md). */
export const DANGERS: readonly Check[] = [
  ({ spec }) =>
    spec.hostPID
      ? [{ path: "spec.hostPID", message: "the pod sees every process of its node; remove it" }]
      : [],

  (pod) => {
    if (!pod.spec.shareProcessNamespace) return [];
    const roots = containersOf(pod).filter(({ container }) => mayBeRoot(container, pod));
    if (roots.length === 0) return [];
    const names = roots.map(({ container }) => container.name).join(", ");
    return [
      {
        path: "spec.shareProcessNamespace",
        message: `root could stop or inspect the sidecar; set runAsNonRoot: true (${names}), or do not share`,
      },
    ];
  },

  (pod) =>
    containersOf(pod).flatMap(({ container, path }) =>
      container.securityContext?.privileged
        ? [
            {
              path: `${path}.securityContext.privileged`,
              message: `container ${container.name} can take the redirect away; remove it`,
            },
          ]
        : [],
    ),

  (pod) =>
    containersOf(pod).flatMap(({ container, path }) =>
      (container.securityContext?.capabilities?.add ?? []).flatMap((capability, i) => {
        const name = capabilityName(capability);
        return Object.hasOwn(DANGEROUS, name)
          ? [
              {
                path: `${path}.securityContext.capabilities.add[${i}]`,
                message: `container ${container.name} with ${name} ${DANGEROUS[name]}; remove it`,
              },
            ]
          : [];
      }),
    ),

  // iptables spares what is of both the sidecar's user and its group: neither may be had in advance. A group that owns a
  // volume counts too, for a setgid program in it would run as that group.
  (pod, { uid, gid }) => {
    const { securityContext: podWide } = pod.spec;
    const declared: [path: string, id: number | undefined, taken: number | undefined][] = [
      ["spec.securityContext.runAsUser", podWide?.runAsUser, uid],
      ["spec.securityContext.runAsGroup", podWide?.runAsGroup, gid],
      ["spec.securityContext.fsGroup", podWide?.fsGroup, gid],
      ...(podWide?.supplementalGroups ?? []).map(
        (group, i): [string, number, number | undefined] => [
          `spec.securityContext.supplementalGroups[${i}]`,
          group,
          gid,
        ],
      ),
      ...containersOf(pod).flatMap(({ container: { securityContext }, path }): typeof declared => [
        [`${path}.securityContext.runAsUser`, securityContext?.runAsUser, uid],
        [`${path}.securityContext.runAsGroup`, securityContext?.runAsGroup, gid],
      ]),
    ];
    return declared.flatMap(([path, id, taken]) =>
      id !== undefined && id === taken
        ? [{ path, message: `${id} is the sidecar's own; choose another` }]
        : [],
    );
  },
];
