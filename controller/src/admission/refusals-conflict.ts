import { PORTS } from "@sallyport/proxy/contract";
import { OUR_CONTAINERS, READY_PORT_NAME, VOLUME_PREFIX } from "./names.ts";
import { AMOUNTS } from "./pod-resources.ts";
import { containersOf, type PodView } from "./pod-view.ts";
import { addQuantities } from "./quantity.ts";
import type { Check, Refusal } from "./refusal.ts";

const OUR_PORTS: readonly number[] = Object.values(PORTS).sort((a, b) => a - b);
const TELL_PORTS = OUR_PORTS.join(", ");

/** With these a sidecar cannot work in the pod at all, so no option lets them pass. */
export const CONFLICTS: readonly Check[] = [
  ({ spec }) =>
    spec.ephemeralContainers.flatMap(({ name }, i) =>
      OUR_CONTAINERS.includes(name)
        ? [
            {
              path: `spec.ephemeralContainers[${i}].name`,
              message: `"${name}" is the name of a container of the sidecar's; choose another`,
            },
          ]
        : [],
    ),

  (pod) =>
    pod.spec.volumes.flatMap(({ name }, i) =>
      isOfSidecar(pod, name) ? [] : reservedVolume(`spec.volumes[${i}].name`, name),
    ),
  (pod) =>
    containersOf(pod).flatMap(({ container, path }) =>
      (["volumeMounts", "volumeDevices"] as const).flatMap((kind) =>
        container[kind].flatMap(({ name }, i) =>
          reservedVolume(`${path}.${kind}[${i}].name`, name),
        ),
      ),
    ),

  (pod) =>
    containersOf(pod).flatMap(({ container, path }) =>
      container.ports.flatMap(({ containerPort, protocol, name }, i): Refusal[] => {
        const at = `${path}.ports[${i}]`;
        if (name === READY_PORT_NAME)
          return [
            { path: `${at}.name`, message: `"${name}" is a port of the sidecar; choose another` },
          ];
        const taken =
          containerPort !== undefined &&
          OUR_PORTS.includes(containerPort) &&
          (protocol ?? "TCP") === "TCP";
        return taken
          ? [
              {
                path: `${at}.containerPort`,
                message: `${containerPort} is a port of the sidecar (${TELL_PORTS}); choose another`,
              },
            ]
          : [];
      }),
    ),

  // The sidecar's share is added to these.
  ({ spec }) =>
    AMOUNTS.flatMap(([kind, resource]) => {
      const written = spec.resources?.[kind]?.[resource];
      const sum = addQuantities(resource, String(written ?? 0), "0");
      const path = `spec.resources.${kind}.${resource}`;
      return sum instanceof Error ? [{ path, message: `${written}: ${sum.message}` }] : [];
    }),

  ({ spec }) => {
    const sysctls = (spec.securityContext?.sysctls ?? []).map(({ name = "", value = "" }, i) => ({
      // Kubernetes takes both separators (sysctl.d(5) does, too).
      name: name.replaceAll("/", "."),
      value,
      path: `spec.securityContext.sysctls[${i}]`,
    }));
    const reserved = sysctls
      .filter(({ name }) => name === "net.ipv4.ip_local_reserved_ports")
      .flatMap(({ value }) => value.split(",").map((range) => numbersOf(range, "-")));
    return sysctls.flatMap(({ name, value, path }): Refusal[] => {
      if (name === "net.ipv4.ip_local_port_range") {
        const range = numbersOf(value, /\s+/);
        const atRisk = OUR_PORTS.filter(
          (port) => within(port, range) && !reserved.some((one) => within(port, one)),
        );
        return atRisk.length > 0
          ? [
              {
                path,
                message: `the range ${value} gives away ports of the sidecar (${atRisk.join(", ")}); begin above ${OUR_PORTS.at(-1)}, or name them in net.ipv4.ip_local_reserved_ports`,
              },
            ]
          : [];
      }
      if (name === "net.ipv4.ip_unprivileged_port_start" && Number(value) > (OUR_PORTS[0] ?? 0))
        return [
          {
            path,
            message: `the sidecar is not root and could not listen below ${value}; lower it to ${OUR_PORTS[0]} at most`,
          },
        ];
      return [];
    });
  },
];

/** In a pod that is admitted again: the volume is replaced with the container that mounts it, and judged as little. */
function isOfSidecar({ spec }: PodView, volume: string | undefined): boolean {
  return (
    volume?.startsWith(VOLUME_PREFIX) === true &&
    [...spec.initContainers, ...spec.containers].some(
      ({ name, volumeMounts }) =>
        OUR_CONTAINERS.includes(name) && volumeMounts.some((mount) => mount.name === volume),
    )
  );
}

function reservedVolume(path: string, name: string | undefined): Refusal[] {
  return name?.startsWith(VOLUME_PREFIX)
    ? [{ path, message: `"${name}": names in ${VOLUME_PREFIX} are the sidecar's; choose another` }]
    : [];
}

type Range = readonly [first: number, last: number];

/** NaN, within which nothing lies, where the text is no number: the kubelet tells its author. */
function numbersOf(text: string, separator: string | RegExp): Range {
  const [first = Number.NaN, last = first] = text.trim().split(separator).map(Number);
  return [first, last];
}

function within(port: number, [first, last]: Range): boolean {
  return port >= first && port <= last;
}
