import type { Fleet } from "../delivery/fleet.ts";
import { createBell } from "../kubernetes/bell.ts";
import type { KubernetesApi } from "../kubernetes/client.ts";
import { logOnce } from "../kubernetes/log-once.ts";
import { pause } from "../kubernetes/pause.ts";
import type { Log } from "../log.ts";
import type { Knowledge } from "../rules/knowledge.ts";
import { type AttendanceTimes, createAttendance } from "./attendance.ts";
import { countEvent } from "./count-event.ts";
import { keepShares } from "./keep-shares.ts";
import { keepSums } from "./keep-sums.ts";
import { createLedger } from "./ledger.ts";
import type { PaceTimes } from "./pace.ts";
import { keepPresence } from "./presence.ts";
import { createRefusalEvents, type TellingTimes } from "./refusal-events.ts";
import { settle } from "./settle.ts";
import { statusApi } from "./status-api.ts";
import { missesTeller } from "./tell-misses.ts";

export interface StatusKeeping {
  readonly api: KubernetesApi;
  readonly knowledge: Knowledge;
  readonly fleet: Fleet;
  /** This process's and nobody else's, ever: its counts begin at nothing. */
  readonly identity: string;
  /** The controllers' own. */
  readonly namespace: string;
  readonly leading: () => boolean;
  readonly log: Log;
  readonly times?: {
    readonly pace?: PaceTimes;
    readonly attendance?: AttendanceTimes;
    readonly telling?: TellingTimes;
  };
}

const LOOK_MS = {
  most: 1_000, // even where nothing tells of a change: counts come all the time
  least: 250, // however much changes
  again: 5_000, // after one that failed
} as const;

/** What has not been written by then is lost with this controller, as it is when one is killed. */
const FINISH_MS = 2_000;

/**
 * Writes back what became of rules and boundaries, until the signal is given: each controller its own entry, whoever leads
 * the sum of all, and Events at pods that were refused. Nothing waits for it, and it may fail as long as it likes.
 */
export async function keepStatus(keeping: StatusKeeping, signal: AbortSignal): Promise<void> {
  const { api, knowledge, fleet, identity, namespace, leading, log, times = {} } = keeping;
  const bell = createBell();
  const told = logOnce(log);
  const ledger = createLedger(knowledge);
  const events = createRefusalEvents(times.telling);
  const attendance = createAttendance(times.attendance);
  const presence = keepPresence({
    ...{ api, namespace, identity, attendance, leading, log },
    times: times.attendance,
  });
  const isGone = (name: string) => attendance.isGone(name, performance.now());
  const status = statusApi(api);
  const shared = { status, knowledge, pace: times.pace };
  const shares = keepShares({ ...shared, fleet, ledger, presence });
  const sums = keepSums({ ...shared, isGone, excluded: [namespace] });
  const tellMisses = missesTeller({ api, knowledge, namespace });

  const endListening = fleet.listen({
    changed: bell.ring,
    reported: (pod, rows) => {
      ledger.add(pod.namespace, rows);
      events.add(pod, rows, performance.now());
    },
  });
  const endWatching = knowledge.watch(() => {
    ledger.refresh();
    sums.changed();
    bell.ring();
  });
  const tellRefusals = async () => {
    const picked = events.pick(performance.now());
    await settle(
      picked.map(({ telling, times: number }) =>
        countEvent(api, telling, number, identity).catch((error) => {
          events.putBack(telling, number);
          throw error;
        }),
      ),
    );
  };
  const leaderTasks = async () => {
    if (!leading()) return;
    await sums.look(performance.now());
    await tellMisses(performance.now(), signal);
  };
  const tasks = () => [shares.look(performance.now()), leaderTasks(), tellRefusals()];
  try {
    while (!signal.aborted) {
      try {
        await settle(tasks());
        told.fine("status is written again");
        await pause(LOOK_MS.least, signal);
      } catch (error) {
        told.trouble(error, "warn");
        await pause(LOOK_MS.again, signal);
      }
      await bell.sleep(LOOK_MS.most - LOOK_MS.least, signal);
    }
  } finally {
    endListening();
    endWatching();
    await shares.finish(performance.now() + FINISH_MS).catch(() => {});
    await presence.leave();
  }
}
