import type { DecisionRecord } from "@sallyport/core/record";
import type { LiveConnection } from "./live-connection.ts";

/** What tells one destination from another: where the app wanted to go, in which language, and what came of it by which rule. */
export interface DestinationKey {
  readonly name?: string | undefined;
  readonly invalid_name?: string | undefined;
  readonly original_address: string;
  readonly original_port: number;
  readonly protocol?: DecisionRecord["protocol"] | undefined;
  readonly reason: DecisionRecord["reason"];
  readonly would_be?: DecisionRecord["would_be"] | undefined;
  readonly rule?: string | undefined;
}

/** What went one way, added up. Fields are those of a record, where it has them. */
export interface DestinationSummary {
  /** Counts up in one sidecar, and means this destination for as long as it is told of. */
  readonly id: number;
  readonly name?: string;
  readonly invalid_name?: string;
  /** The one that the app dialled last; where no name was given, the only one. */
  readonly address: string;
  readonly port: number;
  readonly protocol?: NonNullable<DecisionRecord["protocol"]>;
  readonly reason: DecisionRecord["reason"];
  readonly would_be?: DecisionRecord["reason"];
  readonly rule?: string;
  readonly matched?: string;
  readonly nearest?: string;
  readonly external_name?: string;
  /** It is a Service that leads out of the cluster. */
  readonly service?: string;
  readonly originated?: true;
  /** Connections that are open now. */
  readonly open: number;
  /** Connections that have ended; where requests are judged one by one, these count instead. */
  readonly connections: number;
  readonly requests: number;
  readonly bytes_sent: number;
  readonly bytes_received: number;
  /** RFC 3339: when the first began, and when the last ended. */
  readonly first_time: string;
  readonly last_time?: string;
  readonly last_status?: number;
  readonly last_error?: string;
}

export interface Counts {
  connections: number;
  requests: number;
  bytes_sent: number;
  bytes_received: number;
}

/** One destination while it is being counted. */
export interface DestinationRow extends DestinationKey, Counts {
  readonly id: number;
  readonly firstTime: string;
  /** Undefined while nothing of it has ended. */
  last: DecisionRecord | undefined;
}

/** Whether two records, or a record and an open connection, are of one destination: a name's addresses are. */
export function isSameDestination(a: DestinationKey, b: DestinationKey): boolean {
  return (
    a.original_port === b.original_port &&
    a.reason === b.reason &&
    a.rule === b.rule &&
    a.protocol === b.protocol &&
    a.would_be === b.would_be &&
    a.name === b.name &&
    a.invalid_name === b.invalid_name &&
    (placeOf(a) !== a.original_address || a.original_address === b.original_address)
  );
}

/** The name given, or else the address. */
export function placeOf({ name, invalid_name, original_address }: DestinationKey): string {
  return name ?? invalid_name ?? original_address;
}

/** Undefined where it is not decided yet, or on its way to a refusal. */
export function keyOf(live: LiveConnection): DestinationKey | undefined {
  const { destination, name, invalidName, rule, protocol, wouldBe, reason } = live;
  if (reason === "deciding" || !reason.startsWith("allowed.")) return undefined;
  return {
    ...{ original_address: destination.address, original_port: destination.port, reason },
    ...{ name, invalid_name: invalidName, protocol, would_be: wouldBe, rule },
  };
}

/** What open connections add to a destination. */
export interface Open {
  count: number;
  sent: number;
  received: number;
}

export function summaryOf(row: DestinationRow, open: Open | undefined): DestinationSummary {
  const { last, name, invalid_name, protocol, would_be, rule } = row;
  return {
    id: row.id,
    ...(name !== undefined && { name }),
    ...(invalid_name !== undefined && { invalid_name }),
    address: last?.original_address ?? row.original_address,
    port: row.original_port,
    ...(protocol && { protocol }),
    reason: row.reason,
    ...(would_be && { would_be }),
    ...(rule !== undefined && { rule }),
    ...(last && ofLast(last)),
    open: open?.count ?? 0,
    ...{ connections: row.connections, requests: row.requests },
    bytes_sent: row.bytes_sent + (open?.sent ?? 0),
    bytes_received: row.bytes_received + (open?.received ?? 0),
    first_time: row.firstTime,
    ...(last && { last_time: endOf(last) }),
  };
}

function ofLast(last: DecisionRecord) {
  const { matched, nearest, external_name, service, originated, status, error } = last;
  return {
    ...(matched !== undefined && { matched }),
    ...(nearest !== undefined && { nearest }),
    ...(external_name !== undefined && { external_name }),
    ...(service !== undefined && { service }),
    ...(originated && { originated }),
    ...(status !== undefined && { last_status: status }),
    ...(error !== undefined && { last_error: error }),
  };
}

function endOf({ time, duration_ms }: DecisionRecord): string {
  return new Date(Date.parse(time) + duration_ms).toISOString();
}
