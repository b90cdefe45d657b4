import { DELIVERY_LIMITS, type ReportRow } from "@sallyport/core/delivery";
import type { DecisionRecord } from "@sallyport/core/record";

interface Row {
  count: number;
  /** It has all that the counted ones have in common, and when the last of them was. */
  last: DecisionRecord;
}

/** What a report's line says around its rows. */
const FRAME_BYTES = 200;

/**
 * The records since the last report, added up by what they have in common. It is in the way of every connection, so it does
 * no more than find a row; it is as bounded while nobody can be told as otherwise.
 */
export class Reports {
  readonly #maxRows: number;
  readonly #maxBytes: number;
  readonly #rows = new Map<string, Row>();
  #others = { allowed: 0, refused: 0 };

  constructor(
    maxRows: number = DELIVERY_LIMITS.reportRows,
    maxBytes: number = DELIVERY_LIMITS.sidecarLineBytes,
  ) {
    this.#maxRows = maxRows;
    this.#maxBytes = maxBytes;
  }

  add(record: DecisionRecord): void {
    const key = keyOf(record);
    const row = this.#rows.get(key);
    if (row) {
      row.count += 1;
      row.last = record;
    } else if (this.#rows.size < this.#maxRows) this.#rows.set(key, { count: 1, last: record });
    else this.#others[record.verdict === "allow" ? "allowed" : "refused"] += 1;
  }

  /** The next report as a line, and what is in it is forgotten; undefined where there is nothing to tell. */
  take(): string | undefined {
    const rows: string[] = [];
    let bytes = FRAME_BYTES;
    for (const [key, row] of this.#rows) {
      const text = JSON.stringify(toldOf(row));
      bytes += Buffer.byteLength(text) + 1;
      if (bytes > this.#maxBytes) break;
      rows.push(text);
      this.#rows.delete(key);
    }
    const others = this.#others;
    if (rows.length === 0 && others.allowed === 0 && others.refused === 0) return undefined;
    this.#others = { allowed: 0, refused: 0 };
    return `{"type":"report","rows":[${rows.join(",")}],"others":${JSON.stringify(others)}}`;
  }
}

function keyOf(record: DecisionRecord): string {
  const { name, original_address, original_port, protocol, reason, would_be, rule, entry } = record;
  const place = name ?? original_address;
  return `${reason} ${would_be} ${rule} ${entry} ${record.nearest} ${place} ${original_port} ${protocol} ${record.verdict}`;
}

function toldOf({ count, last }: Row): ReportRow {
  const { verdict, reason, would_be, rule, entry, nearest, name, protocol } = last;
  const withAddress = name === undefined || verdict === "deny";
  return {
    ...{ verdict, reason },
    ...(would_be !== undefined && { would_be }),
    ...(rule !== undefined && { rule }),
    ...(entry !== undefined && { entry }),
    ...(nearest !== undefined && { nearest }),
    ...(name !== undefined && { name }),
    ...(withAddress && { address: last.original_address }),
    port: last.original_port,
    ...(protocol !== undefined && { protocol }),
    ...{ count, last: last.time },
  };
}
