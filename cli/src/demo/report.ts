import { styleText } from "node:util";
import type { DecisionRecord } from "@sallyport/core/record";
import type { Judged } from "./judge.ts";

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

export function attemptTable(judged: readonly Judged[]): string[] {
  return table([
    [
      "",
      "attempt",
      "app dialled",
      "connection",
      "by the name of",
      "verdict",
      "destination",
      "app saw",
      "received",
    ],
    ...judged.map(({ attempt, seen, record, faults }) => [
      faults.length === 0 ? "ok" : "NO",
      attempt.what,
      `${attempt.protocol} ${endpoint(attempt.address, attempt.port)}`,
      record ? connectionOf(record) : "-",
      record ? nameOf(record) : "-",
      record?.reason ??
        (seen?.outcome === "answered"
          ? "not asked: leaves directly"
          : "not asked: rejected by iptables"),
      record ? destinationOf(record) : "-",
      seen?.outcome ?? "nothing",
      record ? String(record.bytes_received) : "",
    ]),
  ]);
}

/** `7`, and `7.2` for its second request. */
function connectionOf({ connection, request }: DecisionRecord): string {
  return request === undefined ? String(connection) : `${connection}.${request}`;
}

function nameOf({ name = "-", external_name }: DecisionRecord): string {
  return external_name === undefined ? name : `${name} = ${external_name}`;
}

function destinationOf({ dialled_address = "-", originated }: DecisionRecord): string {
  return originated ? `${dialled_address}, TLS` : dialled_address;
}

/** The records of a run without expectations: whatever the user's own command did. */
export function recordTable(records: readonly DecisionRecord[]): string[] {
  return table([
    [
      "sidecar recovered",
      "connection",
      "name",
      "verdict",
      "rule",
      "destination",
      "sent",
      "received",
      "closed by",
    ],
    ...records.map((record) => [
      endpoint(record.original_address, record.original_port),
      connectionOf(record),
      nameOf(record),
      record.reason,
      record.rule ?? (record.nearest ? `nearest: ${record.nearest}` : "-"),
      destinationOf(record),
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
