import type { DecisionRecord } from "@sallyport/core/record";
import type { ExplainedRecord } from "../src/admin/explanation.ts";
import type { Overview } from "../src/admin/insight.ts";
import type { DestinationSummary } from "../src/destination-summary.ts";
import type { Others } from "../src/destinations.ts";
import type { LiveConnection } from "../src/live-connection.ts";

/** What is asked for each time. */
export interface News {
  readonly overview: Overview;
  readonly destinations: readonly DestinationSummary[];
  readonly others: Others;
  /** Only where somebody looks at them. */
  readonly connections: readonly LiveConnection[] | undefined;
}

const EVERY_MS = 2_000;
const PATIENCE_MS = 5_000;

export interface Reader {
  /** Whether open connections are looked at. */
  wantsConnections(): boolean;
  news(news: News): void;
  /** The sidecar cannot be reached. */
  failed(error: Error): void;
}

/** Asks every two seconds, unless it is paused or nobody can see the page. */
export class Feed {
  readonly #reader: Reader;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = false;
  isPaused = false;

  constructor(reader: Reader) {
    this.#reader = reader;
    document.addEventListener("visibilitychange", () => this.wake());
  }

  /** Asks at once, where it may ask at all. */
  wake(): void {
    clearTimeout(this.#timer);
    if (this.isPaused || document.hidden || this.#asking) return;
    this.#asking = true;
    void this.#ask().finally(() => {
      this.#asking = false;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.wake(), EVERY_MS);
    });
  }

  async #ask(): Promise<void> {
    try {
      const [overview, listed, connections] = await Promise.all([
        get<Overview>("/overview"),
        get<Pick<News, "destinations" | "others">>("/destinations?format=json"),
        this.#reader.wantsConnections()
          ? get<LiveConnection[]>("/connections?format=json")
          : undefined,
      ]);
      if (!this.isPaused) this.#reader.news({ overview, ...listed, connections });
    } catch (error) {
      this.#reader.failed(error as Error);
    }
  }
}

export async function decisionsOf(destination: number): Promise<readonly DecisionRecord[]> {
  const path = `/decisions?format=json&destination=${destination}`;
  return (await get<{ decisions: DecisionRecord[] }>(path)).decisions;
}

export function explanationOf(destination: number): Promise<ExplainedRecord> {
  return get<ExplainedRecord>(`/explain?format=json&destination=${destination}`);
}

async function get<T>(path: string): Promise<T> {
  const response = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!response.ok) throw new Error(`${path} answers ${response.status}`);
  return response.json();
}
