import { createHmac, timingSafeEqual } from "node:crypto";
import type { InjectionOptions } from "./options.ts";
import { containersOf, type PodView } from "./pod-view.ts";

/** The user and group as which a pod's sidecar runs, and whose packets iptables spares. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** Shows the controller that it has drawn these itself, just now; absent where they are fixed, and offline. */
  readonly seal?: string;
}

/** What only a shell has: chance and a secret. */
export interface DrawIdentity {
  /** A whole number from 0 up to but not including `below`, that nobody can foresee. */
  readonly random: (below: number) => number;
  /**
   * Seals the identities that were drawn, so that one found in a pod's status is known for our own. Offline there is no
   * secret: what the file says is kept, and nothing is sealed.
   */
  readonly sealKey: Uint8Array | "believe-the-file";
}

/** Where a drawn uid lies: above what distributions and images use, below what user namespaces map. */
export const UID_RANGE = { first: 20_000, last: 59_999 } as const;

/** The API server calls a webhook again within one request, which lasts 30 seconds at most. */
const SEAL_LIFE_MS = 60_000;

export interface IdentityRequest {
  readonly view: PodView;
  /** What stays the same while other webhooks change the pod between two calls. */
  readonly subject: string;
  /** What the pod's status says. */
  readonly found: { uid: number; gid: number; seal?: string | undefined } | undefined;
  readonly nowMs: number;
  readonly seal: boolean;
}

/**
 * Fixed by the installation, or drawn for the pod. What stood in the pod's status is kept only where it is certainly our
 * own: an author who could choose the uid would build an image with that USER and walk past the redirect.
 */
export function chooseIdentity(
  request: IdentityRequest,
  { proxyUid, proxyGid }: InjectionOptions,
  { random, sealKey }: DrawIdentity,
): Identity {
  if (proxyUid !== undefined) return { uid: proxyUid, gid: proxyGid ?? proxyUid };
  const { view, subject, found, nowMs } = request;
  const taken = idsOf(view);
  const offline = sealKey === "believe-the-file";
  if (found && !taken.has(found.uid) && !taken.has(found.gid)) {
    const { uid, gid, seal } = found;
    if (offline && isInRange(uid) && isInRange(gid)) return { uid, gid };
    if (!offline && seal && isFresh(sealKey, subject, { uid, gid, seal }, nowMs))
      return { uid, gid, seal };
  }
  const uid = draw(taken, random);
  const gid = proxyGid ?? uid;
  return offline || !request.seal
    ? { uid, gid }
    : { uid, gid, seal: sealOf(sealKey, subject, { uid, gid }, nowMs) };
}

/** A uid that nothing in the pod names. It ends: a pod of 1.5 MB cannot name 40,000 ids. */
function draw(taken: ReadonlySet<number | undefined>, random: (below: number) => number): number {
  let uid = UID_RANGE.first + random(UID_RANGE.last - UID_RANGE.first + 1);
  while (taken.has(uid)) uid = uid === UID_RANGE.last ? UID_RANGE.first : uid + 1;
  return uid;
}

function idsOf(pod: PodView): Set<number | undefined> {
  const { securityContext } = pod.spec;
  return new Set([
    securityContext?.runAsUser,
    securityContext?.runAsGroup,
    securityContext?.fsGroup,
    ...(securityContext?.supplementalGroups ?? []),
    ...containersOf(pod).flatMap(({ container }) => [
      container.securityContext?.runAsUser,
      container.securityContext?.runAsGroup,
    ]),
  ]);
}

function isInRange(id: number): boolean {
  return id >= UID_RANGE.first && id <= UID_RANGE.last;
}

function sealOf(key: Uint8Array, subject: string, { uid, gid }: Identity, atMs: number): string {
  const mac = createHmac("sha256", key).update(JSON.stringify([uid, gid, atMs, subject]));
  return `${atMs}.${mac.digest("base64url")}`;
}

function isFresh(
  key: Uint8Array,
  subject: string,
  found: Required<Identity>,
  nowMs: number,
): boolean {
  const atMs = Number(found.seal.split(".")[0]);
  if (!(atMs <= nowMs && nowMs - atMs <= SEAL_LIFE_MS)) return false;
  const wanted = Buffer.from(sealOf(key, subject, found, atMs));
  const given = Buffer.from(found.seal);
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}
