import type { DecisionRecord } from "@sallyport/core/record";
import type { DestinationSummary } from "../destination-summary.ts";
import type { Others } from "../destinations.ts";
import type { LiveConnection } from "../live-connection.ts";

export function destinationTable(
  destinations: readonly DestinationSummary[],
  others: Others,
): string {
  const forgotten = others.destinations
    ? `and ${others.destinations} more, not seen for longest: ${others.connections} connections, ${others.requests} requests\n`
    : "";
  return (
    formatTable([
      ["id", "reason", "destination", "port", "rule", "open", "ended", "sent", "received", "last"],
      ...destinations.map((each) => [
        String(each.id),
        each.would_be ? `${each.reason} (${each.would_be})` : each.reason,
        each.name ?? each.invalid_name ?? each.address,
        String(each.port),
        each.rule ?? (each.nearest === undefined ? "" : `nearest ${each.nearest}`),
        ...[each.open, each.connections + each.requests].map(String),
        ...[each.bytes_sent, each.bytes_received].map(String),
        each.last_time ?? "",
      ]),
    ]) + forgotten
  );
}

export function decisionTable(decisions: readonly DecisionRecord[]): string {
  return formatTable([
    ["time", "reason", "destination", "port", "rule", "status", "request"],
    ...decisions.map((each) => [
      each.time,
      each.reason,
      each.name ?? each.invalid_name ?? each.original_address,
      String(each.original_port),
      each.rule ?? "",
      each.status === undefined ? (each.error ?? "") : String(each.status),
      `${each.method ?? ""} ${each.path ?? ""}`.trim(),
    ]),
  ]);
}

export function connectionTable(connections: readonly LiveConnection[]): string {
  return formatTable([
    ["id", "destination", "rule", "sent", "received", "since"],
    ...connections.map((each) => [
      String(each.id),
      `${each.destination.address} ${each.destination.port}`,
      each.rule ?? each.reason,
      ...[each.bytesSent, each.bytesReceived].map(String),
      new Date(each.startedMs).toISOString(),
    ]),
  ]);
}

/** Columns side by side; the first row has their names. */
function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0));
  return rows.map((row) => `${line(row).join("  ").trimEnd()}\n`).join("");
}
