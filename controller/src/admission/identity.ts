import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { JsonObject } from "./admission.ts";
import { canonical } from "./canonical.ts";
import type { InjectionOptions } from "./options.ts";
import { containersOf, type PodView } from "./pod-view.ts";

/** The user and group as which a pod's sidecar runs, and whose packets iptables spares. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** Shows the controller that it has drawn these itself, just now; absent where they are fixed, and offline. */
  readonly seal?: string | undefined;
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

/** Where drawn ids lie: above what distributions and images use, below `nobody` and what subordinate ranges begin with. */
export const UID_RANGE = { first: 20_000, last: 59_999 } as const;

/** A webhook is called again within one request, and the API server gives most requests a minute. */
const SEAL_LIFE_MS = 60_000;

export interface IdentityRequest {
  readonly namespace: string;
  /** The pod as it was received, and the same with nothing of ours in it. */
  readonly view: PodView;
  readonly clean: JsonObject;
  /** What the pod's status says. */
  readonly found: Identity | undefined;
  readonly nowMs: number;
  readonly dryRun: boolean;
}

/**
 * Fixed by the installation, or drawn for the pod; undefined where the pod itself uses every id that could be drawn. What
 * stood in the pod's status is kept only where it is certainly our own (docs/adr/003-proxy-uid.md): an author who could
 * choose the uid would build an image with that USER and walk past the redirect.
 */
export function chooseIdentity(
  request: IdentityRequest,
  { proxyUid, proxyGid }: InjectionOptions,
  { random, sealKey }: DrawIdentity,
): Identity | undefined {
  if (proxyUid !== undefined && proxyGid !== undefined) return { uid: proxyUid, gid: proxyGid };
  const { view, found, nowMs } = request;
  const taken = idsOf(view);
  const fits = (id: number, fixed: number | undefined) =>
    isPossible(id, fixed) && (fixed !== undefined || !taken.has(id));
  const seal = sealKey === "believe-the-file" ? undefined : sealFor(sealKey, request);
  if (found && fits(found.uid, proxyUid) && fits(found.gid, proxyGid)) {
    const { uid, gid } = found;
    if (!seal) return { uid, gid };
    if (isFresh(found, seal, nowMs)) return { uid, gid, seal: found.seal };
  }
  const drawn = draw(taken, random);
  if (drawn === undefined) return undefined;
  const ids = { uid: proxyUid ?? drawn, gid: proxyGid ?? drawn };
  return seal && !request.dryRun ? { ...ids, seal: seal(ids, nowMs) } : ids;
}

/** Whether an installation that has fixed this id, or none, gives a sidecar that one. */
export function isPossible(id: number, fixed: number | undefined): boolean {
  return fixed === undefined ? isInRange(id) : id === fixed;
}

/** Any id of the range that nothing in the pod names, each as likely as the others. */
function draw(taken: ReadonlySet<number>, random: DrawIdentity["random"]): number | undefined {
  const { first, last } = UID_RANGE;
  const inTheWay = [...taken].filter(isInRange).sort((a, b) => a - b);
  const free = last - first + 1 - inTheWay.length;
  if (free <= 0) return undefined;
  const drawn = first + random(free);
  return inTheWay.reduce((id, other) => (other <= id ? id + 1 : id), drawn);
}

function idsOf(pod: PodView): Set<number> {
  const { securityContext } = pod.spec;
  const ids = [
    securityContext?.runAsUser,
    securityContext?.runAsGroup,
    securityContext?.fsGroup,
    ...(securityContext?.supplementalGroups ?? []),
    ...containersOf(pod).flatMap(({ container }) => [
      container.securityContext?.runAsUser,
      container.securityContext?.runAsGroup,
    ]),
  ];
  return new Set(ids.filter((id) => id !== undefined));
}

function isInRange(id: number): boolean {
  return id >= UID_RANGE.first && id <= UID_RANGE.last;
}

/** `ms.mac`: when it was drawn, and a proof that it was then drawn for this pod in this namespace. */
type Seal = (ids: Pick<Identity, "uid" | "gid">, atMs: number) => string;

function sealFor(key: Uint8Array, { namespace, clean }: IdentityRequest): Seal {
  const digest = createHash("sha256").update(canonical(clean)).digest("base64url");
  return ({ uid, gid }, atMs) => {
    const mac = createHmac("sha256", key).update(
      JSON.stringify([namespace, digest, uid, gid, atMs]),
    );
    return `${atMs}.${mac.digest("base64url")}`;
  };
}

function isFresh(found: Identity, seal: Seal, nowMs: number): found is Required<Identity> {
  const atMs = Number(found.seal?.split(".")[0]);
  if (!(atMs <= nowMs && nowMs - atMs <= SEAL_LIFE_MS)) return false;
  const wanted = Buffer.from(seal(found, atMs));
  const given = Buffer.from(found.seal ?? "");
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}
