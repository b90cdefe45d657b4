import { join } from "node:path";
import { createInterface } from "node:readline";
import type { NetworkNamespace } from "@sallyport/cli/lab/namespace";

/** On which ports of every address of its namespace it listens, and for what. */
export interface Listening {
  readonly tls?: readonly number[];
  readonly http?: readonly number[];
  /** Speaks first, as databases and mail servers do. */
  readonly plain?: readonly number[];
  /** Echoes; of these addresses alone, for that is from where it answers. */
  readonly udp?: readonly (readonly [address: string, port: number])[];
}

/** A connection that arrived, whatever became of it. */
export interface Visit {
  readonly at: string;
  readonly port: number;
}

/**
 * witness-main.ts at work inside a namespace: whoever connects is told in one line at which address that was and under
 * which name (`93.184.216.34 www.example.com`, `-` for none), and then hears his own words again.
 */
export class Witness {
  readonly #visits: Visit[] = [];

  private constructor() {}

  static start(namespace: NetworkNamespace, listening: Listening): Promise<Witness> {
    const main = join(import.meta.dirname, "witness-main.ts");
    const child = namespace.spawn([process.execPath, main, JSON.stringify(listening)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const witness = new Witness();
    return new Promise((resolve, reject) => {
      child.once("exit", () => reject(new Error("the witness has ended")));
      if (child.stdout)
        createInterface(child.stdout).on("line", (line) => {
          const said: Visit | "ready" = JSON.parse(line);
          if (said === "ready") resolve(witness);
          else witness.#visits.push(said);
        });
    });
  }

  /** Who has come to this address so far, on any port. */
  visitsAt(address: string): readonly Visit[] {
    return this.#visits.filter(({ at }) => at === address);
  }
}
