import { runInNewContext } from "node:vm";
import type { Stat } from "../stats.ts";
import { formatExplanation } from "./explanation.ts";
import type { Insight } from "./insight.ts";
import { pageFor } from "./page.ts";
import { type Answer, json, type Routes, text } from "./server.ts";
import { formatJson, formatPrometheus, formatText } from "./stats-format.ts";
import { connectionTable, decisionTable, destinationTable } from "./tables.ts";

/** On loopback, for people: `kubectl port-forward` and curl. */
export function adminRoutes(insight: Insight): Routes {
  return {
    "/": async (_, accept) => (await pageFor(accept)) ?? text(INDEX),
    "/overview": () => json(insight.overview()),
    "/destinations": async (query) => {
      const destinations = await insight.destinations();
      return isJson(query)
        ? json({ destinations, others: insight.others() })
        : text(destinationTable(destinations, insight.others()));
    },
    "/decisions": (query) => {
      const id = query.get("destination");
      const decisions = insight.decisions(id === null ? undefined : Number(id));
      return isJson(query) ? json({ decisions }) : text(decisionTable(decisions));
    },
    "/explain": (query) => {
      const explanation = insight.explanation(Number(query.get("destination")));
      if (!explanation) return text("no refused destination has this id; see /destinations\n", 404);
      return isJson(query) ? json(explanation) : text(formatExplanation(explanation));
    },
    "/connections": async (query) => {
      const connections = await insight.connections();
      return isJson(query) ? json(connections) : text(connectionTable(connections));
    },
    "/stats": async (query) => stats(await insight.stats(), query),
    "/config_dump": () => json(insight.config()),
    ...readyRoutes(insight),
    "/ready": () => ready(insight, (problem) => problem),
  };
}

/** On the pod's address, for the kubelet and for Prometheus. */
export function readyRoutes(insight: Insight): Routes {
  return {
    // Other pods can ask here: what is wrong with the policy, they need not know.
    "/ready": () =>
      ready(insight, (_, isReady) =>
        isReady ? "the newest policy cannot be used; port 15000 says why" : "port 15000 says more",
      ),
    "/metrics": async () => prometheus(await insight.stats()),
  };
}

function ready(insight: Insight, told: (problem: string, isReady: boolean) => string): Answer {
  const reason = insight.notReady();
  const problem = insight.warning();
  const more = (word: string) => (problem ? `${word}: ${told(problem, !reason)}\n` : "");
  return reason
    ? text(`not ready: ${reason}\n${more("because")}`, 503)
    : text(`ready\n${more("warning")}`);
}

const INDEX = `Sallyport sidecar

/               in a browser: what this pod connects to, live
/destinations   the same as a table; ?format=json
/decisions      the last records, newest first; ?destination=ID, ?format=json
/explain        ?destination=ID: why it is refused and what would permit it; ?format=json
/connections    what is open now; ?format=json
/overview       the sidecar in a few words, as JSON
/stats          counters; ?filter=REGEX, ?format=json, ?format=prometheus
/config_dump    the configuration in force
/ready          whether it serves, and why not
/metrics        the counters for Prometheus
`;

function isJson(query: URLSearchParams): boolean {
  return query.get("format") === "json";
}

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
