import { once } from "node:events";
import { type Bed, CORES } from "./bed.ts";

/**
 * Keeps both cores from halting while `work` goes on: waking a halted virtual core takes longer than any of the proxies,
 * and how long is the hypervisor's affair. The loops run only where nothing else would (SCHED_IDLE, sched(7)).
 */
export async function awake<T>({ near }: Bed, work: () => Promise<T>): Promise<T> {
  const loops = Object.values(CORES).map((core) =>
    near.spawn([
      ...["taskset", "-c", String(core), "chrt", "--idle", "0"],
      ...["sh", "-c", "while :; do :; done"],
    ]),
  );
  try {
    return await work();
  } finally {
    for (const loop of loops) {
      const ended = once(loop, "exit");
      loop.kill("SIGKILL");
      await ended;
    }
  }
}
