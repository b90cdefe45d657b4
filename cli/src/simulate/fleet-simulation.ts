import { createHash } from "node:crypto";
import { Policy } from "@sallyport/core/policy";
import type { Mode, PodIdentity, PolicySnapshot } from "@sallyport/core/snapshot";
import { type Applied, apply } from "../policy/applied.ts";
import type { PolicyObjects } from "../policy/objects.ts";
import type { RecordLine } from "../policy/record-lines.ts";
import { replay } from "../policy/replay.ts";
import type { Simulated } from "../policy/simulated.ts";
import { Tally } from "../policy/tally.ts";
import type { Weighed } from "./weighed.ts";

/** One pod: what its sidecar has in force, and what it has seen. */
export interface Seen {
  readonly workload: string;
  readonly identity: PodIdentity;
  readonly inForce: PolicySnapshot;
  readonly traffic: readonly Weighed[];
}

/** What sidecars have seen, judged by what they have in force and by what is proposed: a change is what differs. */
export class FleetSimulation implements Simulated {
  readonly tally = new Tally();
  readonly skipped = 0;
  unjudged = 0;
  readonly applied = [];
  readonly #proposed: PolicyObjects;
  readonly #defaultMode: Mode | undefined;
  /** Pods of a workload have the same policy. */
  readonly #made = new Map<string, Applied>();

  /** `proposed`: with what is on the cluster and stays. */
  constructor(proposed: PolicyObjects, defaultMode: Mode | undefined) {
    this.#proposed = proposed;
    this.#defaultMode = defaultMode;
  }

  add({ workload, identity, inForce, traffic }: Seen): void {
    const now = this.#once("now", inForce, identity, () => ({
      ...{ pod: identity, snapshot: inForce, policy: new Policy(inForce) },
      ...{ others: [], names: new Set<string>() },
    }));
    const then = this.#once("then", inForce, identity, () => this.#then(inForce, identity));
    const { namespace } = identity;
    for (const { record, times } of traffic) {
      const judged = asJudgedNow(now, record);
      const replayed = replay(then, judged, NONE);
      if (replayed) this.tally.add(judged, replayed, { namespace, workload, times });
      else this.unjudged += times;
    }
  }

  #then({ cluster, resolvers, mode }: PolicySnapshot, identity: PodIdentity): Applied {
    const given = new Set(
      this.#proposed.aliases.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
    );
    const externalNames = cluster.externalNames.filter(
      ({ namespace, name }) => !given.has(`${namespace}/${name}`),
    );
    return apply(this.#proposed, identity, {
      mode: this.#defaultMode ?? mode,
      ...{ cluster: { ...cluster, externalNames }, resolvers },
    });
  }

  #once(
    what: string,
    inForce: PolicySnapshot,
    identity: PodIdentity,
    make: () => Applied,
  ): Applied {
    const content = JSON.stringify([what, inForce, identity.labels]);
    const key = createHash("sha256").update(content).digest("base64");
    const applied = this.#made.get(key) ?? make();
    this.#made.set(key, applied);
    return applied;
  }
}

/** A name that nobody resolved leads to the address that was dialled. */
const NONE: ReadonlyMap<string, readonly string[]> = new Map();

/** The record, had it been made by what is in force now; where that cannot be told, as it was. */
function asJudgedNow(now: Applied, record: RecordLine): RecordLine {
  const judged = replay(now, record, NONE);
  if (!judged || judged.change === "unknown") return record;
  const { verdict, reason } = judged.verdict;
  return { ...record, verdict, reason };
}
