import {
  type ContainerView,
  containersOf,
  type PlacedContainer,
  type PodView,
} from "./pod-view.ts";

/** In any spelling that a runtime might take: `NET_ADMIN`, `net_admin`, `CAP_NET_ADMIN`, with spaces around. */
export function capabilityName(text: string): string {
  return text.replaceAll(/\s/g, "").toUpperCase().replace(/^CAP_/, "");
}

/** Whether the kubelet could start it as uid 0: an image's own USER cannot be known here. */
export function mayBeRoot({ securityContext }: ContainerView, { spec }: PodView): boolean {
  const user = securityContext?.runAsUser ?? spec.securityContext?.runAsUser;
  if (user !== undefined) return user === 0;
  return (securityContext?.runAsNonRoot ?? spec.securityContext?.runAsNonRoot) !== true;
}

/** Whether its image's USER counts for both ids: what the pod's security context says, an image cannot override. */
export function imageSaysAsWhom({ securityContext }: ContainerView, { spec }: PodView): boolean {
  const said = [securityContext, spec.securityContext];
  return said.every((one) => one?.runAsUser === undefined && one?.runAsGroup === undefined);
}

/**
 * What runtimes leave to root unless it is dropped, and what it is good for here: a packet socket sends past iptables;
 * SETUID and SETGID make a process the sidecar's user, whom iptables spares.
 */
const ROOT_WAYS_PAST = ["NET_RAW", "SETUID", "SETGID"];

/** The containers that may be root and keep a way past the sidecar. */
export function rootsWithWaysPast(pod: PodView): PlacedContainer[] {
  return containersOf(pod).filter(
    ({ container }) => mayBeRoot(container, pod) && keepsWayPast(container),
  );
}

function keepsWayPast({ securityContext }: ContainerView): boolean {
  const { add = [], drop = [] } = securityContext?.capabilities ?? {};
  const added = add.map(capabilityName);
  const dropped = drop.map(capabilityName);
  return ROOT_WAYS_PAST.some(
    (name) => added.includes(name) || !(dropped.includes("ALL") || dropped.includes(name)),
  );
}
