import type { ConnectedSidecar } from "../delivery/fleet.ts";
import type { Compiled, Origin } from "../rules/snapshots.ts";

/** How far the sidecars that are connected here are with one rule or boundary. */
export interface Applied {
  appliedPods: number;
  behindPods: number;
  /** A few of those that are behind, and why. */
  readonly behind: string[];
}

const NAMED = 3;
const MOST_SAID = 200;

/**
 * By uid. A sidecar is behind where what it was sent, or is about to be, has the object as it is now, and what it has
 * applied has not. Pods with the same rules share one list of origins, so that this costs little for thousands of them.
 */
export function appliedBy(
  sidecars: Iterable<ConnectedSidecar>,
  wantedOf: (sidecar: ConnectedSidecar) => Compiled | undefined,
  isCurrent: (origin: Origin) => boolean,
): ReadonlyMap<string, Applied> {
  const result = new Map<string, Applied>();
  const at = (uid: string) => {
    let applied = result.get(uid);
    if (!applied) {
      applied = { appliedPods: 0, behindPods: 0, behind: [] };
      result.set(uid, applied);
    }
    return applied;
  };
  const current = new Map<Origins, ReadonlyMap<string, Origin>>();
  const currentIn = (origins: Origins | undefined) => {
    if (!origins) return NONE;
    let found = current.get(origins);
    if (!found) {
      found = new Map(origins.filter(isCurrent).map((origin) => [origin.uid, origin]));
      current.set(origins, found);
    }
    return found;
  };
  const settled = new Map<Origins, number>();
  for (const sidecar of sidecars) {
    const { applied } = sidecar;
    const wanted = wantedOf(sidecar);
    if (applied && (!wanted || wanted.revision === applied.revision)) {
      // The same content may be of newer objects: of a rule whose selector alone has changed, for instance.
      const { origins } = wanted ?? applied;
      settled.set(origins, (settled.get(origins) ?? 0) + 1);
      continue;
    }
    const has = currentIn(applied?.origins);
    for (const uid of has.keys()) at(uid).appliedPods++;
    for (const [uid, { kind }] of currentIn(wanted?.origins)) {
      if (has.has(uid)) continue;
      const one = at(uid);
      one.behindPods++;
      // A boundary is the cluster's: it tells no namespace of another's pods.
      if (kind === "EgressRule" && one.behind.length < NAMED) one.behind.push(said(sidecar));
    }
  }
  for (const [origins, pods] of settled)
    for (const uid of currentIn(origins).keys()) at(uid).appliedPods += pods;
  return result;
}

type Origins = readonly Origin[];
const NONE: ReadonlyMap<string, Origin> = new Map();

function said({ pod, problem }: ConnectedSidecar): string {
  return problem === undefined
    ? pod.name
    : `${pod.name} (cannot use it: ${plainText(problem).slice(0, MOST_SAID)})`;
}

/** What sidecars say is shown on terminals: nothing but text of one line. */
export function plainText(text: string): string {
  return text.replace(/[^\x21-\x7e]+/g, " ").trim();
}
