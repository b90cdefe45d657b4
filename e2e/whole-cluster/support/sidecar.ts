import type { V1Pod } from "@kubernetes/client-node";
import type { DecisionRecord } from "@sallyport/core/record";
import { kubectl } from "./kubectl.ts";
import { RunningKubectl } from "./running-kubectl.ts";

export const PROXY = "sallyport-proxy";
export const INIT = "sallyport-init";

/** Names of the containers that are started before the app's, in their order. */
export const initContainersOf = ({ spec }: V1Pod): string[] =>
  (spec?.initContainers ?? []).map(({ name }) => name);

export const hasSidecar = (pod: V1Pod): boolean => initContainersOf(pod).includes(PROXY);

/** Its access log as far as it goes. `pod` may also be `job/NAME` or `deployment/NAME`. */
export async function recordsOf(namespace: string, pod: string): Promise<DecisionRecord[]> {
  const log = await kubectl("logs", pod, "--namespace", namespace, "--container", PROXY);
  return log.split("\n").flatMap((line) => asRecord(line) ?? []);
}

/** The first record of which this holds, as soon as it is written. */
export async function recordOf(
  namespace: string,
  pod: string,
  holds: (record: DecisionRecord) => boolean,
): Promise<DecisionRecord> {
  await using log = new RunningKubectl(
    ...["logs", pod, "--namespace", namespace, "--container", PROXY, "--follow"],
  );
  return await log.line((line) => {
    const record = asRecord(line);
    return record && holds(record) ? record : undefined;
  }, 30);
}

/** Records and the sidecar's own log are both lines of JSON; a record has a verdict. */
export function asRecord(line: string): DecisionRecord | undefined {
  if (!line.startsWith("{")) return undefined;
  const value = JSON.parse(line);
  return "verdict" in value ? value : undefined;
}
