import { get, Polling } from "../../proxy/page/polling.ts";
import type { Fleet, WorkloadDetails } from "../src/dashboard/fleet.ts";

export interface News {
  readonly fleet: Fleet;
  /** Of the workloads that are open; one that is gone has none. */
  readonly details: ReadonlyMap<string, WorkloadDetails>;
}

const PATIENCE_MS = 10_000;

export interface Reader {
  /** The ids of the workloads that are looked at closely. */
  open(): readonly string[];
  news(news: News): void;
  /** The command has ended, or does not answer. */
  failed(error: Error): void;
}

export function feedFor(reader: Reader): Polling {
  const feed = new Polling(async () => {
    try {
      const [fleet, details] = await Promise.all([
        get<Fleet>("/fleet", PATIENCE_MS),
        Promise.all(reader.open().map(detailsOf)),
      ]);
      const known = details.filter((each) => each !== undefined);
      if (!feed.isPaused)
        reader.news({ fleet, details: new Map(known.map((each) => [each.id, each])) });
    } catch (error) {
      reader.failed(error as Error);
    }
  });
  return feed;
}

export function detailsOf(id: string): Promise<WorkloadDetails | undefined> {
  const path = `/workload?id=${encodeURIComponent(id)}`;
  return get<WorkloadDetails | undefined>(path, PATIENCE_MS, 404);
}
