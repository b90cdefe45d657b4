import { setTimeout as sleep } from "node:timers/promises";
import type { DecisionRecord } from "@sallyport/core/record";
import { PORTS } from "@sallyport/proxy/contract";
import { httpGet, type RunningContainer } from "../lab/run-pod.ts";
import type { Stage } from "./stage.ts";

/** The sidecar's records once all its connections have ended and its log has been written out. */
export async function settledRecords(
  { pod }: Pick<Stage, "pod">,
  sidecar: RunningContainer,
): Promise<DecisionRecord[]> {
  for (let i = 0; i < 30; i++) {
    const stats = await httpGet(pod, PORTS.admin, "/stats?filter=downstream_cx_active|access_log");
    const figure = (name: string) => Number(new RegExp(`${name}: (\\d+)`).exec(stats)?.[1]);
    if (
      figure("downstream_cx_active") === 0 &&
      figure("access_log.queued_bytes") === 0 &&
      sidecar.output.length >= figure("access_log.written")
    )
      break;
    await sleep(50);
  }
  return sidecar.output.map((line) => JSON.parse(line) as DecisionRecord);
}
