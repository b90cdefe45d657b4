import { PORTS } from "@sallyport/proxy/contract";
import { VOLUME_PREFIX } from "./names.ts";
import { type ContainerView, containersOf, type PodView } from "./pod-view.ts";

/** One thing about a pod that would let it walk past its sidecar, or keep the sidecar from running. */
export interface Refusal {
  /** Where in the pod: `spec.containers[0].securityContext.privileged`. */
  readonly path: string;
  /** What is wrong and what to do. */
  readonly message: string;
}

/** The user and group of the sidecar-to-be, where they are the installation's and not drawn to fit the pod. */
export interface SidecarUser {
  readonly uid: number;
  readonly gid: number;
}

const DANGEROUS: Readonly<Record<string, string>> = {
  ALL: "includes NET_ADMIN",
  NET_ADMIN: "can take the redirect away",
  SYS_ADMIN: "can enter other namespaces and mount what it likes",
  BPF: "can load programs that see and steer packets",
  SYS_PTRACE: "can read and change the sidecar's process",
};

/** Any spelling that a runtime takes: `NET_ADMIN`, `net_admin`, `CAP_NET_ADMIN`. */
export function capabilityName(text: string): string {
  return text.trim().toUpperCase().replace(/^CAP_/, "");
}

type Check = (pod: PodView, user: SidecarUser | undefined) => Refusal[];

/** Every one that holds is reported. */
const CHECKS: readonly Check[] = [
  ({ spec }) =>
    spec.hostPID
      ? [{ path: "spec.hostPID", message: "it sees the sidecar's process from outside; remove it" }]
      : [],

  (pod) =>
    pod.spec.shareProcessNamespace && containersOf(pod).some((c) => mayBeRoot(c.container, pod))
      ? [
          {
            path: "spec.shareProcessNamespace",
            message:
              "a container that may run as root could signal the sidecar; set runAsNonRoot: true, or do not share",
          },
        ]
      : [],

  perContainer(({ securityContext }, path) =>
    securityContext?.privileged
      ? [
          {
            path: `${path}.securityContext.privileged`,
            message: "it can take the redirect away; remove it",
          },
        ]
      : [],
  ),

  perContainer(({ securityContext }, path) =>
    (securityContext?.capabilities?.add ?? []).flatMap((capability, i) => {
      const why = DANGEROUS[capabilityName(capability)];
      const at = `${path}.securityContext.capabilities.add[${i}]`;
      return why ? [{ path: at, message: `${JSON.stringify(capability)} ${why}; remove it` }] : [];
    }),
  ),

  (pod, user) => (user ? usersOf(pod, user) : []),

  perContainer(({ volumeMounts }, path) =>
    volumeMounts.flatMap(({ name }, i) =>
      name?.startsWith(VOLUME_PREFIX)
        ? [
            {
              path: `${path}.volumeMounts[${i}].name`,
              message: `names beginning with ${VOLUME_PREFIX} are the sidecar's; choose another`,
            },
          ]
        : [],
    ),
  ),

  ({ spec }) =>
    spec.volumes.flatMap(({ name }, i) =>
      name?.startsWith(VOLUME_PREFIX)
        ? [
            {
              path: `spec.volumes[${i}].name`,
              message: `names beginning with ${VOLUME_PREFIX} are the sidecar's; choose another`,
            },
          ]
        : [],
    ),

  perContainer(({ ports }, path) =>
    ports.flatMap(({ containerPort, protocol }, i) =>
      (protocol ?? "TCP") === "TCP" && isOurPort(containerPort)
        ? [
            {
              path: `${path}.ports[${i}].containerPort`,
              message: `${containerPort} is a port of the sidecar (${OUR_PORTS.join(", ")}); choose another`,
            },
          ]
        : [],
    ),
  ),

  ({ spec }) =>
    (spec.securityContext?.sysctls ?? []).flatMap(({ name, value }, i) =>
      name === "net.ipv4.ip_local_port_range" && rangeHoldsOurs(value ?? "")
        ? [
            {
              path: `spec.securityContext.sysctls[${i}]`,
              message: `the range ${value} holds ports of the sidecar (${OUR_PORTS.join(", ")}); leave them out`,
            },
          ]
        : [],
    ),
];

export function refusalsOf(pod: PodView, user: SidecarUser | undefined): Refusal[] {
  return CHECKS.flatMap((check) => check(pod, user));
}

/** Not refused, but its author should know: root that keeps what a runtime gives it can become the sidecar's user. */
export function rootWarning(pod: PodView): string | undefined {
  const names = containersOf(pod)
    .filter(({ container }) => mayBeRoot(container, pod) && keepsRisky(container))
    .map(({ container }) => container.name);
  if (names.length === 0) return undefined;
  const shown =
    names.slice(0, 3).join(", ") + (names.length > 3 ? ` and ${names.length - 3} more` : "");
  return `containers that may run as root and keep SETUID, SETGID or NET_RAW can walk past the sidecar: ${shown}; set runAsNonRoot: true or drop ALL`;
}

const RISKY = ["NET_RAW", "SETUID", "SETGID"];

function keepsRisky({ securityContext }: ContainerView): boolean {
  const { add = [], drop = [] } = securityContext?.capabilities ?? {};
  const dropped = drop.map(capabilityName);
  const added = add.map(capabilityName);
  return RISKY.some(
    (name) => added.includes(name) || !(dropped.includes("ALL") || dropped.includes(name)),
  );
}

/** Whether the kubelet could start it as uid 0: an image's own USER cannot be known here. */
function mayBeRoot({ securityContext }: ContainerView, { spec }: PodView): boolean {
  const user = securityContext?.runAsUser ?? spec.securityContext?.runAsUser;
  if (user !== undefined) return user === 0;
  return (securityContext?.runAsNonRoot ?? spec.securityContext?.runAsNonRoot) !== true;
}

function usersOf(pod: PodView, { uid, gid }: SidecarUser): Refusal[] {
  const message = `uid ${uid} with gid ${gid} is the sidecar's user; choose another`;
  const spec = pod.spec.securityContext;
  const podWide =
    spec?.runAsUser === uid ? [{ path: "spec.securityContext.runAsUser", message }] : [];
  const own = containersOf(pod).flatMap(({ container, path }) =>
    container.securityContext?.runAsUser === uid
      ? [{ path: `${path}.securityContext.runAsUser`, message }]
      : [],
  );
  return [...podWide, ...own];
}

const OUR_PORTS: readonly number[] = Object.values(PORTS).sort((a, b) => a - b);

function isOurPort(port: number | undefined): boolean {
  return port !== undefined && OUR_PORTS.includes(port);
}

function rangeHoldsOurs(text: string): boolean {
  const [first = Number.NaN, last = Number.NaN] = text.trim().split(/\s+/).map(Number);
  return OUR_PORTS.some((port) => port >= first && port <= last);
}

function perContainer(check: (container: ContainerView, path: string) => Refusal[]): Check {
  return (pod) => containersOf(pod).flatMap(({ container, path }) => check(container, path));
}
