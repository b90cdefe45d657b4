import type { DestinationLine, DestinationLines } from "../fleet/traffic.ts";
import type { RecordLine } from "../policy/record-lines.ts";

/** A record, and how many such there were. */
export interface Weighed {
  readonly record: RecordLine;
  readonly times: number;
}

/**
 * What a sidecar has seen since it started: of each destination its last records, as far as the sidecar has kept them, and
 * for all that went there before, the newest of these once more.
 */
export function weigh(
  namespace: string,
  { destinations }: DestinationLines,
  decisions: readonly RecordLine[],
): Weighed[] {
  const kept = Map.groupBy(decisions, (record) =>
    keyOf({ ...record, address: record.original_address, port: record.original_port }),
  );
  return destinations.flatMap((destination) => {
    const its = kept.get(keyOf(destination)) ?? [];
    const [newest = recordOf(namespace, destination)] = its;
    const requests = its.filter(({ request }) => request !== undefined).length;
    // Where each request is judged, what is open is of no account by itself.
    const open = destination.requests > 0 ? 0 : destination.open;
    const before = {
      connections: destination.connections + open - (its.length - requests),
      requests: destination.requests - requests,
    };
    const { request: _, ...connection } = newest;
    return [
      ...its.map((record) => ({ record, times: 1 })),
      { record: connection, times: before.connections },
      { record: { ...newest, request: newest.request ?? 1 }, times: before.requests },
    ].filter(({ times }) => times > 0);
  });
}

type Key = Pick<
  DestinationLine,
  "name" | "invalid_name" | "address" | "port" | "protocol" | "reason" | "would_be" | "rule"
>;

/** As the sidecar tells destinations apart (proxy/src/destination-summary.ts). */
function keyOf({ name, invalid_name, address, port, protocol, reason, would_be, rule }: Key) {
  const place = name ?? invalid_name ?? address;
  return JSON.stringify([place, name, invalid_name, port, protocol, reason, would_be, rule]);
}

/** All that is left of it; that opaque bytes had a name, the sidecar has found itself. */
function recordOf(namespace: string, destination: DestinationLine): RecordLine {
  const { address, port, first_time, last_time, reason, protocol, name } = destination;
  const { external_name, invalid_name, would_be, rule } = destination;
  const isFound = name !== undefined && (protocol === undefined || protocol === "opaque");
  return {
    ...{ namespace, reason, protocol, name, external_name, invalid_name, would_be, rule },
    time: last_time ?? first_time,
    verdict: reason.startsWith("denied.") || reason === "failed.dns" ? "deny" : "allow",
    ...(isFound && { name_source: "dns" as const }),
    original_address: address,
    original_port: port,
  };
}
