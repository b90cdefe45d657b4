import type { DecisionRecord } from "@sallyport/core/record";
import { Connection, type LiveConnection, type Surroundings } from "./connection.ts";
import type { Inbound } from "./listener.ts";

/** The connections that are open now: counted against the limit, listed, waited for, cut. */
export class Connections {
  readonly #limit: number;
  readonly #around: Surroundings;
  readonly #onRecord: (record: DecisionRecord) => void;
  readonly #open = new Map<number, Connection>();
  #empty: (() => void)[] = [];
  #count = 0;

  constructor(
    limit: number,
    around: Omit<Surroundings, "full">,
    onRecord: (record: DecisionRecord) => void,
  ) {
    this.#limit = limit;
    this.#around = { ...around, full: () => this.#open.size > this.#limit };
    this.#onRecord = onRecord;
  }

  get accepted(): number {
    return this.#count;
  }

  get active(): number {
    return this.#open.size;
  }

  live(): LiveConnection[] {
    return [...this.#open.values()].map((connection) => connection.live());
  }

  take(inbound: Inbound): void {
    this.#count += 1;
    const connection = new Connection(this.#count, inbound, this.#around);
    this.#open.set(connection.id, connection);
    void connection.run().then((record) => {
      this.#open.delete(connection.id);
      this.#onRecord(record);
      if (this.#open.size === 0) for (const resolve of this.#empty.splice(0)) resolve();
    });
  }

  /** Resolves when none is open. */
  idle(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#empty.push(resolve));
  }

  /** Resets all that are open and gives their number. */
  cut(): number {
    for (const connection of this.#open.values()) connection.cut();
    return this.#open.size;
  }
}
