import type { EgressRuleStatus, ReplicaShare } from "@sallyport/core/status";
import type { PatchOperation } from "../admission/admission.ts";
import { addCounts, type Counts, NOTHING } from "./ledger.ts";

export interface Sum extends Counts {
  readonly appliedPods: number;
  readonly behindPods: number;
  readonly behind: readonly string[];
}

type Shares = Pick<EgressRuleStatus, "replicas" | "past"> | undefined;

/** All that was counted ever, and the sidecars that are connected to controllers that are there. */
export function sumOf(status: Shares, isGone: (name: string) => boolean): Sum {
  const replicas = status?.replicas ?? [];
  const there = replicas.filter(({ name }) => !isGone(name));
  const total = (pick: (share: ReplicaShare) => number) =>
    there.reduce((sum, share) => sum + pick(share), 0);
  return {
    ...replicas.reduce<Counts>(addCounts, status?.past ?? NOTHING),
    appliedPods: total(({ appliedPods }) => appliedPods),
    behindPods: total(({ behindPods = 0 }) => behindPods),
    behind: there.flatMap(({ behind = [] }) => behind).slice(0, 3),
  };
}

/** Takes the entries of those that are gone into `past`, in one change that is made as a whole; undefined where there is none. */
export function foldOf(
  status: Shares,
  isGone: (name: string) => boolean,
): PatchOperation[] | undefined {
  const replicas = status?.replicas ?? [];
  const gone = replicas.flatMap(({ name }, i) => (isGone(name) ? [i] : []));
  if (gone.length === 0) return undefined;
  const past = gone
    .flatMap((i) => replicas[i] ?? [])
    .reduce<Counts>((sum, { allowed, refused }) => addCounts(sum, { allowed, refused }), {
      ...NOTHING,
      ...status?.past,
    });
  return [
    { op: "add", path: "/status/past", value: { ...past } },
    // From the end on: a place that goes moves those after it.
    ...gone.reverse().map((i) => ({ op: "remove" as const, path: `/status/replicas/${i}` })),
  ];
}
