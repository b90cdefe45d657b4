import { styleText } from "node:util";
import type { DecisionRecord } from "@sallyport/core/record";
import type { Seen } from "./app-main.ts";
import type { Attempt } from "./attempts.ts";

/** Lays out rows in columns, the first row as a heading. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  return rows.map((row, n) => {
    const line = row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
    return n === 0 ? styleText("bold", line) : line;
  });
}

export interface Judged {
  readonly attempt: Attempt;
  readonly seen: Seen | undefined;
  /** The sidecar's record of it; undefined where it has none. */
  readonly record: DecisionRecord | undefined;
  /** What is not as the table says; empty when all is. */
  readonly faults: readonly string[];
}

/** Joins what the app saw with what the sidecar recorded, and compares both with what was to be. */
export function judge(
  attempts: readonly Attempt[],
  seen: readonly Seen[],
  records: readonly DecisionRecord[],
): Judged[] {
  const left = [...records].sort((a, b) => a.connection - b.connection);
  return attempts.map((attempt, i) => {
    const saw = seen[i];
    const at = left.findIndex(
      ({ original_address, original_port }) =>
        attempt.protocol === "tcp" &&
        original_address === attempt.address &&
        original_port === attempt.port,
    );
    const record = at < 0 ? undefined : left.splice(at, 1)[0];
    const faults: string[] = [];
    if (saw?.outcome !== attempt.app)
      faults.push(`the app was to see "${attempt.app}", not "${saw?.outcome ?? "nothing"}"`);
    if (record?.reason !== attempt.sidecar)
      faults.push(
        `the sidecar was to say ${attempt.sidecar ?? "nothing"}, not ${record?.reason ?? "nothing"}`,
      );
    // What TLS adds, only the wire has.
    const isPlain = attempt.exchange !== "tls" && saw?.outcome === "answered";
    if (record && isPlain && saw.received !== record.bytes_received)
      faults.push(
        `the app received ${saw.received} bytes, the record has ${record.bytes_received}`,
      );
    return { attempt, seen: saw, record, faults };
  });
}

export function attemptTable(judged: readonly Judged[]): string[] {
  return table([
    [
      "",
      "attempt",
      "app dialled",
      "by the name of",
      "verdict",
      "sidecar dialled",
      "app saw",
      "received",
    ],
    ...judged.map(({ attempt, seen, record, faults }) => [
      faults.length === 0 ? "ok" : "NO",
      attempt.what,
      `${attempt.protocol} ${endpoint(attempt.address, attempt.port)}`,
      record?.name ?? "-",
      record?.reason ??
        (seen?.outcome === "answered"
          ? "not asked: leaves directly"
          : "not asked: rejected by iptables"),
      record?.dialled_address ?? "-",
      seen?.outcome ?? "nothing",
      record ? String(record.bytes_received) : "",
    ]),
  ]);
}

/** The records of a run without expectations: whatever the user's own command did. */
export function recordTable(records: readonly DecisionRecord[]): string[] {
  return table([
    ["sidecar recovered", "name", "verdict", "rule", "sent", "received", "closed by"],
    ...records.map((record) => [
      endpoint(record.original_address, record.original_port),
      record.name ?? "-",
      record.reason,
      record.rule ?? (record.nearest ? `nearest: ${record.nearest}` : "-"),
      String(record.bytes_sent),
      String(record.bytes_received),
      `${record.closed_by} (${record.closed_how})`,
    ]),
  ]);
}

/** The lines of `/stats` that differ, as `name: before → after`. Figures that move by themselves are left out. */
export function changedStats(before: string, after: string): string[] {
  const old = new Map(before.split("\n").map((line) => splitStat(line)));
  return after
    .split("\n")
    .map((line) => splitStat(line))
    .filter(([name, value]) => name && (old.get(name) ?? "0") !== value)
    .filter(([name]) => !/^(server|access_log)\.|age_seconds/.test(name))
    .map(([name, value]) => `${name}: ${old.get(name) ?? 0} → ${value}`);
}

function splitStat(line: string): [string, string] {
  const at = line.lastIndexOf(": ");
  return [line.slice(0, at), line.slice(at + 2)];
}

function endpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
