import type { ReplicaShare } from "@sallyport/core/status";
import type { Applied } from "./applied.ts";
import type { Counts } from "./ledger.ts";

/** This controller's entry of `status.replicas`; undefined where it has nothing to say of the object. */
export function shareOf(
  name: string,
  applied: Applied | undefined,
  { allowed, refused }: Counts,
): ReplicaShare | undefined {
  if (!applied && allowed === 0 && refused === 0) return undefined;
  const { appliedPods = 0, behindPods = 0, behind = [] } = applied ?? {};
  return {
    ...{ name, appliedPods, allowed, refused },
    ...(behindPods > 0 && { behindPods }),
    ...(behind.length > 0 && { behind: [...behind] }),
  };
}

/** An entry that once was there says so when there is nothing more. */
export function emptyShare(name: string): ReplicaShare {
  return { name, appliedPods: 0, allowed: 0, refused: 0 };
}

/** Pods are told of sooner than counts. */
export function change(
  before: ReplicaShare | undefined,
  now: ReplicaShare,
): "none" | "counts" | "pods" {
  const pods = ({ appliedPods, behindPods, behind }: ReplicaShare) =>
    JSON.stringify([appliedPods, behindPods, behind]);
  if (!before || pods(before) !== pods(now)) return "pods";
  return before.allowed === now.allowed && before.refused === now.refused ? "none" : "counts";
}
