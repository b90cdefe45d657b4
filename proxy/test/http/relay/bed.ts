import type { Answers } from "@sallyport/core/decision";
import { Policy } from "@sallyport/core/policy";
import { PolicySource, type PolicySourceInput, snapshotOf } from "@sallyport/core/policy-source";
import type { DecisionRecord } from "@sallyport/core/record";
import type { Means, OpenConnection } from "../../../src/connection.ts";
import { ProxyConfig, type ProxyConfigInput } from "../../../src/contract.ts";
import { Engine } from "../../../src/engine.ts";
import { HttpPath } from "../../../src/http/http-path.ts";
import { LIMITS } from "../../support/engine-bed.ts";
import { App, turn } from "./app.ts";
import { type Answering, RecordingOrigin } from "./origin.ts";

const LOOPBACK = "127.0.0.1";
const ELSEWHERE = "127.0.0.2";
/** Where the rules lead; every other host is refused. */
const ALLOWED: Readonly<Record<string, string>> = {
  "a.example": LOOPBACK,
  "b.example": LOOPBACK,
  "elsewhere.example": ELSEWHERE,
};

/** A test's context, or all tests of a file. */
export interface CleanUps {
  after(step: () => unknown): void;
}

type Settings = Pick<ProxyConfigInput, "http" | "waits" | "limits">;
type Rules = NonNullable<PolicySourceInput["rules"]>;

/**
 * The HTTP path of the sidecar, all of it, on loopback and without root: the real engine accepts, releases and dials, the
 * real policy judges each request, and a recording origin answers. What is not there is iptables and DNS: every app dials
 * the origin, and where the names lead is known.
 */
export class RelayBed {
  readonly origin: RecordingOrigin;
  readonly records: DecisionRecord[] = [];
  readonly #engine: Engine;
  readonly #http: HttpPath;
  readonly #policy: Policy;
  readonly #port: number;
  #connected = 0;
  #accepted = 0;
  #taken = 0;

  private constructor(origin: RecordingOrigin, port: number, settings: Settings) {
    this.origin = origin;
    this.#port = port;
    this.#policy = policyOf(rulesFor(port));
    this.#engine = new Engine([{ address: LOOPBACK, port: 0 }], LIMITS, {
      accepted: ({ id }) => void this.#take(id),
      finished: () => {},
      accepting: () => {},
    });
    this.#http = new HttpPath(ProxyConfig.parse(settings), [], {
      engine: this.#engine,
      recording: { pod: POD, answers: ANSWERS, policy: () => this.#policy },
      now: () => Date.now(),
      onRecord: (record) => this.records.push(record),
      onMistake: (error) => {
        throw error;
      },
    });
  }

  static async open(
    t: CleanUps,
    { answering, ...settings }: Settings & { readonly answering?: Answering } = {},
  ): Promise<RelayBed> {
    const origin = new RecordingOrigin(answering);
    t.after(() => origin.close());
    const port = await origin.listenOnBoth(ELSEWHERE, LOOPBACK);
    const bed = new RelayBed(origin, port, settings);
    t.after(async () => {
      bed.#http.close();
      await bed.#engine.stop();
    });
    return bed;
  }

  /**
   * An app's connection, which from its first byte on is the HTTP path's: it has it when this resolves, and reads what is
   * said then in the segments in which it is.
   */
  async connect(): Promise<App> {
    this.#connected += 1;
    const nth = this.#connected;
    const app = await App.connect(this.#engine.ports[0] ?? 0);
    while (this.#taken < nth) await turn();
    return app;
  }

  /** How many connections to the origin are kept for the next app. */
  get idleUpstreams(): number {
    return this.#http.idleUpstreams;
  }

  async #take(id: number): Promise<void> {
    this.#accepted += 1;
    const connection: OpenConnection = {
      number: this.#accepted,
      startedMs: Date.now(),
      source: { address: LOOPBACK, port: 40_000 },
      destination: { address: LOOPBACK, port: this.#port },
    };
    await this.#http.take(id, connection, {
      policy: () => this.#policy,
      answers: ANSWERS,
      look: () => Promise.resolve(undefined),
      resolve: (name) => Promise.resolve({ addresses: ANSWERS.addressesOf(name) ?? [] }),
      refresh: () => Promise.resolve(),
    } satisfies Means);
    this.#taken += 1;
  }
}

const POD = { name: "web-0", namespace: "shop" };

const ANSWERS: Answers = {
  addressesOf: (name) => [ALLOWED[name] ?? LOOPBACK],
  namesOf: () => [],
};

function policyOf(rules: Rules): Policy {
  const source = { mode: "enforce", pod: POD, resolvers: ["10.96.0.10"], rules } as const;
  const { name: _, ...pod } = POD;
  return new Policy(snapshotOf(PolicySource.parse({ ...source, pod })));
}

/** On purpose inside: a name that leads to loopback by its rule. */
function rulesFor(port: number): Rules {
  const to = [
    {
      hosts: Object.keys(ALLOWED),
      cidrs: ["127.0.0.0/8"],
      ports: [{ port, protocol: "http" as const }],
    },
  ];
  return [
    {
      apiVersion: "sallyport.dev/v1alpha1",
      kind: "EgressRule",
      metadata: { name: "web" },
      spec: { to },
    },
  ];
}
