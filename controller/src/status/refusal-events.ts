import { createHash } from "node:crypto";
import type { ReportRow } from "@sallyport/core/delivery";
import type { PodRef } from "../rules/snapshots.ts";
import { isRefusal } from "./attribute.ts";
import { refusalNote } from "./refusal-note.ts";
import { type TokenBucket, tokenBucket } from "./token-bucket.ts";

/** How much is told of refusals by Events; what is not told is counted, in status and in the pod's own records. */
export const TELLING = {
  /** Different refusals of one pod: so many at once, and one each so often. */
  podBurst: 10,
  podEveryMs: 60_000,
  /** Writes of this controller. */
  burst: 20,
  perSecond: 5,
  /** The same refusal is counted up at most so often. */
  againMs: 60_000,
  /** Refusals and pods that are remembered; those heard of least lately go first. */
  most: 5_000,
} as const;
export type TellingTimes = { readonly [name in keyof typeof TELLING]: number };

/** Refusals of a pod that are alike. */
export interface Telling {
  readonly pod: PodRef;
  readonly note: string;
  /** The Event's: the same for whichever controller tells. */
  readonly name: string;
}

export interface RefusalEvents {
  /** Costs a look-up a row, and never an answer of the API server. */
  add(pod: PodRef, rows: readonly ReportRow[], nowMs: number): void;
  /** What is to be written now; `times` since it was picked last. */
  pick(nowMs: number): { readonly telling: Telling; readonly times: number }[];
  /** It could not be written. */
  putBack(telling: Telling, times: number): void;
}

interface Kept extends Telling {
  times: number;
  nextMs: number;
}

export function createRefusalEvents(limits: TellingTimes = TELLING): RefusalEvents {
  const tellings = new Map<string, Kept>();
  const pending = new Set<Kept>();
  const pods = new Map<string, TokenBucket>();
  const all = tokenBucket(limits);

  const mayTell = (uid: string, nowMs: number) => {
    const bucket =
      pods.get(uid) ??
      tokenBucket({ burst: limits.podBurst, perSecond: 1_000 / limits.podEveryMs });
    touch(pods, uid, bucket, limits.most);
    return bucket.take(nowMs);
  };
  return {
    add: (pod, rows, nowMs) => {
      for (const row of rows) {
        if (!isRefusal(row)) continue;
        const note = refusalNote(row, pod.namespace);
        const key = `${pod.uid} ${note}`;
        let kept = tellings.get(key);
        if (!kept) {
          if (!mayTell(pod.uid, nowMs)) continue;
          kept = { pod, note, name: nameOf(pod, note), times: 0, nextMs: nowMs };
        }
        touch(tellings, key, kept, limits.most, (oldest) => pending.delete(oldest));
        kept.times += row.count;
        pending.add(kept);
      }
    },
    pick: (nowMs) => {
      const picked: { telling: Telling; times: number }[] = [];
      for (const kept of pending) {
        if (kept.nextMs > nowMs) continue;
        if (!all.take(nowMs)) break;
        pending.delete(kept);
        picked.push({ telling: kept, times: kept.times });
        kept.times = 0;
        kept.nextMs = nowMs + limits.againMs;
      }
      return picked;
    },
    putBack: ({ pod, note }, times) => {
      const kept = tellings.get(`${pod.uid} ${note}`);
      if (!kept) return;
      kept.times += times;
      pending.add(kept);
    },
  };
}

/** Makes it the last of a map; of one that is full the first goes. */
function touch<T>(
  map: Map<string, T>,
  key: string,
  value: T,
  most: number,
  onGone?: (one: T) => void,
) {
  map.delete(key);
  map.set(key, value);
  if (map.size <= most) return;
  const [oldest] = map;
  if (!oldest) return;
  map.delete(oldest[0]);
  onGone?.(oldest[1]);
}

function nameOf({ name, uid }: PodRef, note: string): string {
  const hash = createHash("sha256").update(`${uid} ${note}`).digest("hex").slice(0, 16);
  return `${name.slice(0, 200)}.${hash}`;
}
