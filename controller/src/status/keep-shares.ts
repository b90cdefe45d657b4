import type { ReplicaShare } from "@sallyport/core/status";
import type { Fleet } from "../delivery/fleet.ts";
import { hasStatus } from "../kubernetes/api-error.ts";
import type { Knowledge, KnownBoundary, KnownRule } from "../rules/knowledge.ts";
import type { Origin } from "../rules/snapshots.ts";
import { appliedBy } from "./applied.ts";
import { type Counts, type Ledger, NOTHING } from "./ledger.ts";
import { createPace, type Due, type PaceTimes } from "./pace.ts";
import type { Presence } from "./presence.ts";
import { withRests } from "./rest.ts";
import { settle } from "./settle.ts";
import { change, emptyShare, shareOf } from "./share.ts";
import type { StatusApi } from "./status-api.ts";

export interface ShareKeeping {
  readonly status: StatusApi;
  readonly knowledge: Knowledge;
  readonly fleet: Fleet;
  readonly ledger: Ledger;
  readonly presence: Presence;
  readonly pace?: PaceTimes | undefined;
}

/** This controller's own entries. */
export interface ShareKeeper {
  /** Writes what is due. */
  look(nowMs: number): Promise<void>;
  /** Writes what there is to say, for the last time: as much of it as there is time for. */
  finish(untilMs: number): Promise<void>;
}

/** What the watch brings back of a write is waited for that long. */
const ECHO_MS = 5_000;

const AT_ONCE = 10;

interface Written {
  /** What was written last under the present name. */
  share: ReplicaShare | undefined;
  atMs: number;
  /** What was counted before this controller bore its present name. */
  before: Counts;
}

export function keepShares(keeping: ShareKeeping): ShareKeeper {
  const { status, knowledge, fleet, ledger, presence } = keeping;
  const pace = createPace(keeping.pace);
  const written = new Map<string, Written>();
  let name: string | undefined;

  /** What is written under a name is its bearer's for good: under another one counting begins again after it. */
  const rename = (next: string) => {
    if (name !== undefined)
      for (const one of written.values()) {
        const { allowed, refused } = one.share ?? NOTHING;
        one.before = {
          allowed: one.before.allowed + allowed,
          refused: one.before.refused + refused,
        };
        one.share = undefined;
      }
    name = next;
  };
  const dueAs = (bearer: string, nowMs: number) => {
    const objects = new Map<string, KnownRule | KnownBoundary>();
    for (const known of [...knowledge.rules(), ...knowledge.boundaries()])
      objects.set(known.uid, known);
    for (const uid of written.keys()) if (!objects.has(uid)) written.delete(uid);
    pace.keep(new Set(objects.keys()));
    const applied = appliedBy(
      fleet.connected(),
      ({ pod }) => knowledge.of(pod)?.compiled,
      ({ uid, generation }: Origin) => objects.get(uid)?.generation === generation,
    );
    return [...objects.values()].flatMap((known): Due<Writing>[] => {
      const { uid } = known;
      const { share, atMs, before } = written.get(uid) ?? NEVER;
      const counts = ledger.of(uid);
      const own = {
        allowed: counts.allowed - before.allowed,
        refused: counts.refused - before.refused,
      };
      // What stands there is what counts: a late write may have gone to the next object of that name, for instance.
      const there =
        share && nowMs - atMs < ECHO_MS
          ? share
          : known.status?.replicas?.find((each) => each.name === bearer);
      const now = shareOf(bearer, applied.get(uid), own) ?? (there && emptyShare(bearer));
      const changed = now ? change(there, now) : "none";
      if (!now || changed === "none") return [];
      return [{ uid, soon: changed === "pods", what: { known, share: now } }];
    });
  };
  const write = async ({ known, share }: Writing, nowMs: number) => {
    const { before } = written.get(known.uid) ?? NEVER;
    try {
      await status.apply(known, share.name, { replicas: [share] });
      written.set(known.uid, { share, atMs: nowMs, before });
    } catch (error) {
      // Deleted meanwhile, or another object bears its name: the watch will say so.
      if (!hasStatus(error, 404) && !hasStatus(error, 409)) throw error;
    }
  };
  const due = withRests((nowMs) => (name === undefined ? [] : dueAs(name, nowMs)));
  return {
    look: async (nowMs) => {
      const bearer = presence.name(nowMs);
      if (bearer === undefined) return;
      if (bearer !== name) rename(bearer);
      const picked = pace.pick(due(nowMs) ?? [], nowMs);
      await settle(picked.map(({ what }) => write(what, nowMs)));
    },
    finish: async (untilMs) => {
      const nowMs = performance.now();
      if (name === undefined || name !== presence.name(nowMs)) return;
      const left = dueAs(name, nowMs);
      while (left.length > 0 && performance.now() < untilMs)
        await settle(left.splice(0, AT_ONCE).map(({ what }) => write(what, nowMs)));
    },
  };
}

const NEVER: Written = { share: undefined, atMs: 0, before: NOTHING };

interface Writing {
  readonly known: KnownRule | KnownBoundary;
  readonly share: ReplicaShare;
}
