import assert from "node:assert/strict";
import type { DecisionRecord } from "@sallyport/core/record";
import type { Bed } from "./bed.ts";

/** `GET /path 200` */
export function lineOf({ method, path, status }: DecisionRecord): string {
  return `${method} ${path} ${status}`;
}

/**
 * The records of a name's requests, that have to be these, connection by connection in the order of their first
 * requests: each allowed by a rule, by its Host, counted from 1 on its connection, and whole.
 */
export async function assertRequests(
  bed: Bed,
  name: string,
  ...connections: readonly (readonly string[])[]
): Promise<readonly DecisionRecord[]> {
  const records = await bed.recordsOf(name, connections.flat().length);
  const byConnection = Map.groupBy(records, ({ connection }) => connection);
  const inOrder = [...byConnection.values()].map((its) =>
    its.toSorted((a, b) => (a.request ?? 0) - (b.request ?? 0)),
  );
  assert.deepEqual(
    inOrder.map((its) => its.map(lineOf)),
    connections,
  );
  for (const its of inOrder)
    assert.deepEqual(
      its.map(({ request }) => request),
      its.map((_, i) => i + 1),
    );
  for (const record of records) {
    const { verdict, reason, protocol, name_source, closed_how } = record;
    assert.deepEqual(
      { verdict, reason, protocol, name_source, closed_how },
      {
        ...{ verdict: "allow", reason: "allowed.rule", protocol: "http", name_source: "host" },
        closed_how: "end",
      },
    );
    assert.ok(record.bytes_sent > 0 && record.bytes_received > 0, JSON.stringify(record));
  }
  return records;
}
