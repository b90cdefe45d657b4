import type { Log } from "../log.ts";
import type { FleetListener } from "./fleet.ts";

/** Tells several, of whom one that fails costs the others nothing. */
export class Listeners {
  readonly #all = new Set<FleetListener>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  add(listener: FleetListener): () => void {
    this.#all.add(listener);
    return () => void this.#all.delete(listener);
  }

  tell<K extends keyof FleetListener>(
    what: K,
    ...told: Parameters<NonNullable<FleetListener[K]>>
  ): void {
    for (const listener of this.#all)
      try {
        (listener[what] as ((...all: typeof told) => void) | undefined)?.call(listener, ...told);
      } catch (error) {
        this.#log("error", `what a sidecar ${what} was not taken up`, {
          error: (error as Error).stack,
        });
      }
  }
}
