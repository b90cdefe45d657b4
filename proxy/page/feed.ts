import type { DecisionRecord } from "@sallyport/core/record";
import type { ExplainedRecord } from "../src/admin/explanation.ts";
import type { Overview } from "../src/admin/insight.ts";
import type { DestinationSummary } from "../src/destination-summary.ts";
import type { Others } from "../src/destinations.ts";
import type { LiveConnection } from "../src/live-connection.ts";
import { get, Polling } from "./polling.ts";

/** What is asked for each time. */
export interface News {
  readonly overview: Overview;
  readonly destinations: readonly DestinationSummary[];
  readonly others: Others;
  /** Only where somebody looks at them. */
  readonly connections: readonly LiveConnection[] | undefined;
}

const PATIENCE_MS = 5_000;

export interface Reader {
  /** Whether open connections are looked at. */
  wantsConnections(): boolean;
  news(news: News): void;
  /** The sidecar cannot be reached. */
  failed(error: Error): void;
}

export function feedFor(reader: Reader): Polling {
  const feed = new Polling(async () => {
    try {
      const [overview, listed, connections] = await Promise.all([
        get<Overview>("/overview", PATIENCE_MS),
        get<Pick<News, "destinations" | "others">>("/destinations?format=json", PATIENCE_MS),
        reader.wantsConnections()
          ? get<LiveConnection[]>("/connections?format=json", PATIENCE_MS)
          : undefined,
      ]);
      if (!feed.isPaused) reader.news({ overview, ...listed, connections });
    } catch (error) {
      reader.failed(error as Error);
    }
  });
  return feed;
}

export async function decisionsOf(destination: number): Promise<readonly DecisionRecord[]> {
  const path = `/decisions?format=json&destination=${destination}`;
  return (await get<{ decisions: DecisionRecord[] }>(path, PATIENCE_MS)).decisions;
}

export function explanationOf(destination: number): Promise<ExplainedRecord> {
  const path = `/explain?format=json&destination=${destination}`;
  return get<ExplainedRecord>(path, PATIENCE_MS);
}
