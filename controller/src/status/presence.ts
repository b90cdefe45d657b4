import { PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import { attempt, hasStatus } from "../kubernetes/api-error.ts";
import type { KubernetesApi } from "../kubernetes/client.ts";
import { logOnce } from "../kubernetes/log-once.ts";
import { pause } from "../kubernetes/pause.ts";
import type { Log } from "../log.ts";
import { ATTENDANCE, type Attendance, type AttendanceTimes } from "./attendance.ts";

/** Made by the chart, so that controllers need permission for this one and no other. */
export const REPLICAS_CONFIG_MAP = "sallyport-replicas";

const LEAVE_MS = 2_000;

export interface Presence {
  /**
   * By which this controller's shares go; undefined while nobody has heard of it. It is another after this one could not
   * say for a while that it is there: then what it had counted may have been summed up already, and it counts from nothing
   * again.
   */
  name(nowMs: number): string | undefined;
  /** Says that it goes, after its last share. */
  leave(): Promise<void>;
}

export interface PresenceOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly identity: string;
  readonly attendance: Attendance;
  readonly leading: () => boolean;
  readonly log: Log;
  readonly times?: AttendanceTimes | undefined;
}

/** Says again and again that this controller is there, and hears of the others by the answer. */
export function keepPresence(options: PresenceOptions): Presence {
  const { api, namespace, identity, attendance, leading, log, times = ATTENDANCE } = options;
  const what = `ConfigMap ${namespace}/${REPLICAS_CONFIG_MAP}`;
  const told = logOnce(log);
  const left = new AbortController();
  let number = 1;
  /** When what was written last, and stands there, was begun. */
  let saidMs: number | undefined;
  /** There is nothing to write it to: then nobody is ever taken for gone. */
  let isMissing = false;
  const name = () => (number === 1 ? identity : `${identity}.${number}`);

  const write = async (data: Readonly<Record<string, string | null>>) => {
    const { data: all = {} } = await attempt("patch", what, () =>
      api.core.patchNamespacedConfigMap(
        { namespace, name: REPLICAS_CONFIG_MAP, body: { data } },
        setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
      ),
    );
    return all;
  };
  const renameIfLapsed = (nowMs: number) => {
    if (saidMs === undefined || nowMs - saidMs < times.lapsedMs) return;
    number++;
    saidMs = undefined;
  };
  const say = async () => {
    const began = performance.now();
    renameIfLapsed(began);
    const gone = leading() ? attendance.silent(began) : [];
    const all = await write({
      ...Object.fromEntries(gone.map((each) => [each, null])),
      [name()]: new Date().toISOString(),
    });
    attendance.note(all, performance.now());
    saidMs = began;
    isMissing = false;
  };
  const sayOn = async () => {
    while (!left.signal.aborted) {
      try {
        await say();
        told.fine(`${what} is written again`);
      } catch (error) {
        isMissing = hasStatus(error, 404) || hasStatus(error, 403);
        told.trouble(error, "warn");
      }
      await pause(times.everyMs * (0.75 + Math.random() / 4), left.signal);
    }
  };
  const saying = sayOn();
  return {
    name: (nowMs) => {
      renameIfLapsed(nowMs);
      return saidMs !== undefined || isMissing ? name() : undefined;
    },
    leave: async () => {
      left.abort();
      // Whoever leads need not wait until this one has been silent for long; nor does it matter if it has to.
      const said = new AbortController();
      void saying
        .then(() => write({ [name()]: null }))
        .catch(() => {})
        .finally(() => said.abort());
      await pause(LEAVE_MS, said.signal);
    },
  };
}
