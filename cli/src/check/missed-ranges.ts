import { objects } from "@sallyport/controller/admission/sidecar-in";
import { MISSES_REASON } from "@sallyport/controller/status/tell-misses";
import { known, reading } from "../kubernetes/read.ts";
import type { Rest } from "../kubernetes/rest.ts";
import { NAMES } from "./facts.ts";
import type { Finding } from "./findings.ts";
import { all } from "./gather.ts";

/** The controllers tell of it again every hour, as long as it is so. */
const TOLD_MS = 65 * 60_000;

/** What the controllers found of the cluster that they were not told; none where Events may not be read. */
export async function missedRanges(rest: Rest, install: string): Promise<Finding[]> {
  const events = rest.list(`/api/v1/namespaces/${install}/events`, {
    fieldSelector: `reason=${MISSES_REASON}`,
  });
  const told = objects(known(await reading(all(events))))
    .map(({ message, lastTimestamp }) => ({ message, at: String(lastTimestamp) }))
    .filter(({ at }) => rest.nowMs() - Date.parse(at) < TOLD_MS)
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  return told.slice(0, 1).map(({ message, at }) => ({
    ...{ code: "cluster_not_as_told", subject: `${install}/deployment/${NAMES.deployment}` },
    message: `the controllers, at ${at}: ${message}`,
    remedy: `say it in the chart's values under injection (helm upgrade sallyport charts/sallyport -n ${install} --reuse-values --set …); an hour later nothing tells of it any more`,
  }));
}
