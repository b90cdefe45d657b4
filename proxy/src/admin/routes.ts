import { runInNewContext } from "node:vm";
import type { LiveConnection } from "../live-connection.ts";
import type { Stat } from "../stats.ts";
import { type Answer, json, type Routes, text } from "./server.ts";
import { formatJson, formatPrometheus, formatText } from "./stats-format.ts";

/** What the admin pages show; asked anew for each request. */
export interface Insight {
  stats(): Promise<readonly Stat[]>;
  /** JSON-able; holds no secret. */
  config(): unknown;
  connections(): Promise<readonly LiveConnection[]>;
  /** Undefined when the sidecar serves; otherwise why not. */
  notReady(): string | undefined;
  /** What a reader of a ready sidecar should still know: a policy file that could not be used. */
  warning(): string | undefined;
}

/** On loopback, for people: `kubectl port-forward` and curl. */
export function adminRoutes(insight: Insight): Routes {
  return {
    "/": () => text(INDEX),
    "/stats": async (query) => stats(await insight.stats(), query),
    "/config_dump": () => json(insight.config()),
    "/connections": async (query) => {
      const connections = await insight.connections();
      return query.get("format") === "json"
        ? json(connections)
        : text(connectionTable(connections));
    },
    ...readyRoutes(insight),
    "/ready": () => ready(insight, (problem) => problem),
  };
}

/** On the pod's address, for the kubelet and for Prometheus. */
export function readyRoutes(insight: Insight): Routes {
  return {
    // Other pods can ask here: what is wrong with the policy, they need not know.
    "/ready": () => ready(insight, () => "the newest policy cannot be used; port 15000 says why"),
    "/metrics": async () => prometheus(await insight.stats()),
  };
}

function ready(insight: Insight, told: (problem: string) => string): Answer {
  const reason = insight.notReady();
  const problem = insight.warning();
  if (reason) return text(`not ready: ${reason}\n`, 503);
  return text(problem ? `ready\nwarning: ${told(problem)}\n` : "ready\n");
}

const INDEX = `Sallyport sidecar

/stats          counters; ?filter=REGEX, ?format=json, ?format=prometheus
/connections    what is open now; ?format=json
/config_dump    the configuration in force
/ready          whether it serves, and why not
/metrics        the counters for Prometheus
`;

function stats(all: readonly Stat[], query: URLSearchParams): Answer {
  const filter = query.get("filter");
  let chosen = all;
  try {
    if (filter !== null) chosen = matching(all, filter);
  } catch (error) {
    return text(`filter=${filter} cannot be used: ${(error as Error).message}\n`, 400);
  }
  switch (query.get("format") ?? "text") {
    case "text":
      return text(formatText(chosen));
    case "json":
      return { status: 200, contentType: "application/json", body: formatJson(chosen) };
    case "prometheus":
      return prometheus(chosen);
    default:
      return text("format is text, json or prometheus\n", 400);
  }
}

/** Run with a time limit: an expression that backtracks without end must not stop the connections. */
function matching(all: readonly Stat[], filter: string): Stat[] {
  const names = all.map(({ name }) => name);
  const verdicts: boolean[] = runInNewContext(
    "const pattern = new RegExp(filter); names.map((name) => pattern.test(name))",
    { names, filter },
    { timeout: 50 },
  );
  return all.filter((_, i) => verdicts[i]);
}

function prometheus(stats: readonly Stat[]): Answer {
  return {
    status: 200,
    contentType: "text/plain; version=0.0.4",
    body: formatPrometheus(stats),
  };
}

function connectionTable(connections: readonly LiveConnection[]): string {
  const rows = connections.map((c) => [
    String(c.id),
    `${c.destination.address} ${c.destination.port}`,
    c.rule ?? c.reason,
    String(c.bytesSent),
    String(c.bytesReceived),
    new Date(c.startedMs).toISOString(),
  ]);
  const table = [["id", "destination", "rule", "sent", "received", "since"], ...rows];
  const widths =
    table[0]?.map((_, i) => Math.max(...table.map((row) => row[i]?.length ?? 0))) ?? [];
  return table
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}
