import type { Fleet, WorkloadDetails } from "../src/dashboard/fleet.ts";

export interface News {
  readonly fleet: Fleet;
  /** Of the workloads that are open; one that is gone has none. */
  readonly details: ReadonlyMap<string, WorkloadDetails>;
}

const EVERY_MS = 2_000;
const PATIENCE_MS = 10_000;

export interface Reader {
  /** The ids of the workloads that are looked at closely. */
  open(): readonly string[];
  news(news: News): void;
  /** The command has ended, or does not answer. */
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
      const [fleet, details] = await Promise.all([
        get<Fleet>("/fleet"),
        Promise.all(this.#reader.open().map(detailsOf)),
      ]);
      const known = details.filter((each) => each !== undefined);
      if (!this.isPaused)
        this.#reader.news({ fleet, details: new Map(known.map((each) => [each.id, each])) });
    } catch (error) {
      this.#reader.failed(error as Error);
    }
  }
}

export function detailsOf(id: string): Promise<WorkloadDetails | undefined> {
  return get<WorkloadDetails | undefined>(`/workload?id=${encodeURIComponent(id)}`, 404);
}

/** Undefined where the answer is of the status `none`. */
async function get<T>(path: string, none?: number): Promise<T> {
  const response = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS) });
  if (response.status === none) return undefined as T;
  if (!response.ok) throw new Error(`${path} answers ${response.status}`);
  return response.json();
}
