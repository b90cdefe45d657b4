import type { Answers } from "@sallyport/core/decision";
import { Policy } from "@sallyport/core/policy";
import { PolicySource, snapshotOf } from "@sallyport/core/policy-source";
import type { DecisionRecord } from "@sallyport/core/record";
import type { Means, OpenConnection } from "../../../src/connection.ts";
import { ProxyConfig, type ProxyConfigInput } from "../../../src/contract.ts";
import { Engine } from "../../../src/engine.ts";
import { HttpPath } from "../../../src/http/http-path.ts";
import { LIMITS } from "../../support/engine-bed.ts";
import { App, turn } from "./app.ts";
import type { CleanUps } from "./bed.ts";
import { RecordingOrigin } from "./origin.ts";

const LOOPBACK = "127.0.0.1";
/** Its address is known at once; that of every other name is asked for. */
const KNOWN = "a.example";

/** The HTTP path on loopback, as in bed.ts, while the policy changes and names are slow to resolve. */
export class ChangingBed {
  readonly origin = new RecordingOrigin();
  readonly records: DecisionRecord[] = [];
  readonly mistakes: unknown[] = [];
  readonly connections: OpenConnection[] = [];
  /** How many connections the engine has finished. */
  finished = 0;
  resolve: (name: string) => Promise<readonly string[]> = async () => [LOOPBACK];
  #engine!: Engine;
  #http!: HttpPath;
  #policy!: Policy;
  #port = 0;
  readonly #taken: [id: number, connection: OpenConnection, means: Means][] = [];

  static async open(t: CleanUps, settings: ProxyConfigInput = {}): Promise<ChangingBed> {
    const bed = new ChangingBed();
    bed.#port = await bed.origin.listen(0, LOOPBACK);
    t.after(() => bed.origin.close());
    bed.permit(KNOWN);
    bed.#engine = new Engine([{ address: LOOPBACK, port: 0 }], LIMITS, {
      accepted: ({ id }) => void bed.#take(id),
      finished: () => {
        bed.finished += 1;
      },
      accepting: () => {},
    });
    const pod = { name: "web-0", namespace: "shop" };
    bed.#http = new HttpPath(ProxyConfig.parse(settings), [], {
      engine: bed.#engine,
      recording: { pod, answers: ANSWERS, policy: () => bed.#policy },
      now: Date.now,
      onRecord: (record) => bed.records.push(record),
      onMistake: (error) => bed.mistakes.push(error),
    });
    t.after(async () => {
      bed.#http.close();
      await bed.#engine.stop();
    });
    return bed;
  }

  get idleUpstreams(): number {
    return this.#http.idleUpstreams;
  }

  /** From now on these hosts and no others; what is open is not judged again before `reconsider`. */
  permit(...hosts: readonly string[]): void {
    const ports = [{ port: this.#port, protocol: "http" as const }];
    const rule = {
      apiVersion: "sallyport.dev/v1alpha1",
      kind: "EgressRule",
      metadata: { name: "web" },
      spec: { to: [{ hosts: [...hosts], cidrs: ["127.0.0.0/8"], ports }] },
    } as const;
    const rules = hosts.length > 0 ? [rule] : [];
    const resolvers = ["10.96.0.10"];
    const source = { mode: "enforce", pod: { namespace: "shop" }, resolvers, rules } as const;
    this.#policy = new Policy(snapshotOf(PolicySource.parse(source)));
  }

  async reconsider(): Promise<void> {
    this.#http.forgetUpstreams();
    await Promise.all(this.#taken.map((each) => this.#http.reconsider(...each)));
  }

  retire(): void {
    this.#http.retire();
  }

  /** An app's connection, which the HTTP path has. */
  async connect(): Promise<App> {
    const nth = this.#taken.length + 1;
    const app = await this.dial();
    while (this.#taken.length < nth) await turn();
    return app;
  }

  dial(): Promise<App> {
    return App.connect(this.#engine.ports[0] ?? 0);
  }

  async #take(id: number): Promise<void> {
    const connection: OpenConnection = {
      number: this.connections.length + 1,
      startedMs: Date.now(),
      source: { address: LOOPBACK, port: 40_000 },
      destination: { address: LOOPBACK, port: this.#port },
    };
    this.connections.push(connection);
    const means: Means = {
      policy: () => this.#policy,
      answers: ANSWERS,
      look: async () => undefined,
      resolve: async (name) => ({ addresses: await this.resolve(name) }),
      refresh: async () => {},
    };
    await this.#http.take(id, connection, means);
    this.#taken.push([id, connection, means]);
  }
}

const ANSWERS: Answers = {
  addressesOf: (name) => (name === KNOWN ? [LOOPBACK] : undefined),
  namesOf: () => [],
};
