import type { LiveConnection } from "../src/live-connection.ts";
import { element, setText } from "./dom.ts";
import { formatAge, formatBytes, formatCount } from "./format.ts";

/** As many as a person reads; those that have moved most. */
const MOST = 100;

export function showConnections(
  place: HTMLElement,
  connections: readonly LiveConnection[],
  nowMs: number,
): void {
  const moved = ({ bytesSent, bytesReceived }: LiveConnection) => bytesSent + bytesReceived;
  const most = [...connections].sort((a, b) => moved(b) - moved(a) || a.id - b.id).slice(0, MOST);
  const heads = ["Destination", "Rule", "Sent", "Received", "Open for"];
  const table = element(
    "table",
    {},
    element(
      "thead",
      {},
      element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head))),
    ),
    element("tbody", {}, ...most.map((each) => connectionRow(each, nowMs))),
  );
  const more = connections.length - most.length;
  place.replaceChildren(
    ...(most.length > 0 ? [element("div", { class: "scroll" }, table)] : []),
    element("p", { class: "quiet" }, note(most.length, more)),
  );
}

function note(shown: number, more: number): string {
  if (shown === 0) return "None is open.";
  return more > 0 ? `And ${formatCount(more)} that have moved less.` : "";
}

function connectionRow(each: LiveConnection, nowMs: number): HTMLTableRowElement {
  const { destination, name, rule, reason, startedMs, bytesSent, bytesReceived } = each;
  const place = `${name ?? destination.address}:${destination.port}`;
  const cells = [
    name === undefined ? place : `${place} at ${destination.address}`,
    rule ?? reason,
    ...[bytesSent, bytesReceived].map(formatBytes),
    formatAge(nowMs - startedMs),
  ];
  const row = element("tr");
  for (const text of cells) setText(row.appendChild(element("td")), text);
  return row;
}
