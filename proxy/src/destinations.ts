import type { DecisionRecord } from "@sallyport/core/record";
import {
  type Counts,
  type DestinationKey,
  type DestinationRow,
  type DestinationSummary,
  isSameDestination,
  keyOf,
  type Open,
  placeOf,
  summaryOf,
} from "./destination-summary.ts";
import type { LiveConnection } from "./live-connection.ts";

/** Kept one by one; beyond it those that have not been seen for longest are forgotten, and counted together. */
export const MAX_DESTINATIONS = 1_000;
/** Of one name or address: who tries port after port pushes nobody else out, and no look-up takes long. */
export const MAX_PER_PLACE = 50;

/** What was forgotten; a destination that comes back and is forgotten again counts twice. */
export interface Others extends Readonly<Counts> {
  readonly destinations: number;
}

/**
 * The records, added up by destination. It is in the way of every request: for a destination that it knows, it makes
 * nothing anew.
 */
export class Destinations {
  /** By name or address, the one seen last at the end. */
  readonly #rows = new Map<string, DestinationRow[]>();
  readonly #others = {
    ...{ destinations: 0, connections: 0, requests: 0, bytes_sent: 0, bytes_received: 0 },
  };
  #latest: string | undefined;
  #size = 0;
  #made = 0;

  add(record: DecisionRecord): void {
    const row = this.#find(record) ?? this.#make(record, record.time);
    if (record.request === undefined) row.connections += 1;
    else row.requests += 1;
    row.bytes_sent += record.bytes_sent;
    row.bytes_received += record.bytes_received;
    row.last = record;
  }

  get others(): Others {
    return this.#others;
  }

  /** With what is open now: a connection that lasts for days shows from its first moment. */
  collect(live: readonly LiveConnection[]): DestinationSummary[] {
    const open = new Map<DestinationRow, Open>();
    for (const connection of live) {
      const key = keyOf(connection);
      if (!key) continue;
      const row = this.#find(key) ?? this.#make(key, new Date(connection.startedMs).toISOString());
      const its = open.get(row) ?? { count: 0, sent: 0, received: 0 };
      open.set(row, its);
      its.count += 1;
      if (connection.requests !== undefined) continue;
      its.sent += connection.bytesSent;
      its.received += connection.bytesReceived;
    }
    return [...this.#rows.values()].flat().map((row) => summaryOf(row, open.get(row)));
  }

  /** What was last recorded of the destination with this id. */
  last(id: number): DecisionRecord | undefined {
    for (const rows of this.#rows.values())
      for (const row of rows) if (row.id === id) return row.last;
    return undefined;
  }

  #find(key: DestinationKey): DestinationRow | undefined {
    const place = placeOf(key);
    const rows = this.#rows.get(place);
    if (!rows) return undefined;
    if (place !== this.#latest) {
      this.#rows.delete(place);
      this.#rows.set(place, rows);
      this.#latest = place;
    }
    for (const row of rows) if (isSameDestination(row, key)) return row;
    return undefined;
  }

  #make(key: DestinationKey, firstTime: string): DestinationRow {
    const { name, invalid_name, original_address, original_port, protocol } = key;
    const { reason, would_be, rule } = key;
    this.#made += 1;
    const row: DestinationRow = {
      ...{ id: this.#made, firstTime, last: undefined },
      ...{ name, invalid_name, original_address, original_port, protocol, reason, would_be, rule },
      ...{ connections: 0, requests: 0, bytes_sent: 0, bytes_received: 0 },
    };
    const place = placeOf(key);
    const rows = this.#rows.get(place);
    if (rows && rows.length >= MAX_PER_PLACE) this.#forget(rows.splice(leastRecent(rows), 1));
    if (rows) rows.push(row);
    else this.#rows.set(place, [row]);
    this.#latest = place;
    this.#size += 1;
    if (this.#size > MAX_DESTINATIONS) this.#forgetOldest();
    return row;
  }

  #forgetOldest(): void {
    for (const [place, rows] of this.#rows) {
      this.#rows.delete(place);
      this.#forget(rows);
      if (this.#size <= MAX_DESTINATIONS) return;
    }
  }

  #forget(rows: readonly DestinationRow[]): void {
    this.#size -= rows.length;
    this.#others.destinations += rows.length;
    for (const row of rows)
      for (const count of ["connections", "requests", "bytes_sent", "bytes_received"] as const)
        this.#others[count] += row[count];
  }
}

/** By the number of the connection that it last ended with; what is only open is recent. */
function leastRecent(rows: readonly DestinationRow[]): number {
  const recency = rows.map(({ last }) => last?.connection ?? Number.POSITIVE_INFINITY);
  return recency.indexOf(Math.min(...recency));
}
