import type { DecisionRecord } from "@sallyport/core/record";
import type { Attempt, Seen } from "./attempt.ts";

export interface Judged {
  readonly attempt: Attempt;
  readonly seen: Seen | undefined;
  /** The sidecar's record of it; undefined where it has none. */
  readonly record: DecisionRecord | undefined;
  /** What is not as the table says; empty when all is. */
  readonly faults: readonly string[];
}

export interface Judgement {
  readonly judged: readonly Judged[];
  /** Records that belong to no attempt: there is to be none. */
  readonly surplus: readonly DecisionRecord[];
}

/**
 * Joins what the app saw with what the sidecar recorded, and compares both with what was to be. Attempts are made one
 * after the other: records of one address come in their order, those of one connection by their requests.
 */
export function judge(
  attempts: readonly Attempt[],
  seen: readonly (Seen | undefined)[],
  records: readonly DecisionRecord[],
): Judgement {
  const left = [...records].sort(
    (a, b) => a.connection - b.connection || (a.request ?? 0) - (b.request ?? 0),
  );
  const connections = new Map<string, number>();
  const judged = attempts.map((attempt, i) => {
    const at = left.findIndex(
      ({ original_address, original_port }) =>
        attempt.protocol === "tcp" &&
        original_address === attempt.address &&
        original_port === attempt.port,
    );
    const record = at < 0 ? undefined : left.splice(at, 1)[0];
    const shared = attempt.connection && connections.get(attempt.connection);
    if (attempt.connection && record) connections.set(attempt.connection, record.connection);
    const expected = { ...attempt.record, ...(shared && { connection: shared }) };
    const faults = [
      ...faultsOfSeen(attempt, seen[i], record),
      ...faultsOfRecord(attempt, expected, record),
    ];
    return { attempt, seen: seen[i], record, faults };
  });
  return { judged, surplus: left };
}

function faultsOfSeen(
  attempt: Attempt,
  seen: Seen | undefined,
  record: DecisionRecord | undefined,
): string[] {
  if (seen?.outcome !== attempt.app)
    return [`the app was to see "${attempt.app}", not "${seen?.outcome ?? "nothing"}"`];
  const isCounted = record && seen.outcome === "answered" && seen.received !== undefined;
  return isCounted && seen.received !== record.bytes_received
    ? [`the app received ${seen.received} bytes, the record has ${record.bytes_received}`]
    : [];
}

function faultsOfRecord(
  { sidecar }: Attempt,
  expected: Partial<DecisionRecord>,
  record: DecisionRecord | undefined,
): string[] {
  if (record?.reason !== sidecar)
    return [`the sidecar was to say ${sidecar ?? "nothing"}, not ${record?.reason ?? "nothing"}`];
  return Object.entries(expected)
    .map(([field, value]) => [field, value, record?.[field as keyof DecisionRecord]] as const)
    .filter(([, wanted, found]) => wanted !== found)
    .map(([field, wanted, found]) => `the record was to say ${field} ${wanted}, not ${found}`);
}
