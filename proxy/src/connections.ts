import type { Seen } from "@sallyport/core/decision";
import { restsOnWords } from "@sallyport/core/evaluate";
import { explain } from "@sallyport/core/explain";
import type { PortRange } from "@sallyport/core/ports";
import type { DecisionRecord } from "@sallyport/core/record";
import {
  attemptOf,
  decide,
  dialledOf,
  type Means,
  type OpenConnection,
  type Outcome,
  refusalOf,
} from "./connection.ts";
import { type Recording, recordOf } from "./connection-record.ts";
import type { ProxyConfig } from "./contract.ts";
import { type Endpoint, Engine, type Finished, type Head, type Inbound } from "./engine.ts";
import { statusOf } from "./http/answer.ts";
import { HttpPath, headLimits } from "./http/http-path.ts";
import { type LiveConnection, liveOf } from "./live-connection.ts";
import { look, note } from "./look.ts";
import { refusalFor } from "./refusal.ts";
import type { Names } from "./resolve/names.ts";

/**
 * For how long an app is given the chance to speak before it is judged at all, on the ports where what it says may decide:
 * mostly it has, and one trip to JavaScript does for two. A server that speaks first there is heard so much later, which
 * nobody feels.
 */
const HEAD_START_MS = 3;

type Config = Pick<ProxyConfig, "limits" | "waits" | "threads" | "http" | "upstreamTls">;

export interface Surroundings extends Omit<Recording, "answers"> {
  readonly names: Names;
  /** Authorities that are trusted beside the well-known ones, in PEM, for TLS that is originated. */
  readonly authorities: readonly string[];
  /** Milliseconds since the epoch. */
  now(): number;
  onRecord(record: DecisionRecord): void;
  /** An error of our own code: it has cost one connection. */
  onMistake(error: unknown): void;
  /** Descriptors have run out, or are free again. */
  onAccepting(paused: boolean, error: string): void;
}

/** All connections of the sidecar: judged when the engine has accepted them, recorded when it has finished them. */
export class Connections {
  readonly #engine: Engine;
  readonly #around: Surroundings;
  readonly #config: Config;
  readonly #http: HttpPath;
  readonly #recording: Recording;
  readonly #open = new Map<number, OpenConnection>();
  #empty: (() => void)[] = [];
  #count = 0;

  /** Listens at once. Throws EngineError. */
  constructor(listen: readonly Endpoint[], config: Config, around: Surroundings) {
    this.#around = around;
    this.#config = config;
    this.#recording = { ...around, answers: around.names.answers };
    const { limits, threads } = config;
    this.#engine = new Engine(
      listen,
      {
        connections: limits.connections,
        verdictMs: limits.verdictTimeoutMs,
        idleMs: limits.idleTimeoutMs,
        halfClosedMs: limits.halfClosedTimeoutMs,
        keepaliveSeconds: limits.keepaliveSeconds,
      },
      {
        accepted: (inbound) => this.#accepted(inbound),
        said: (id, bytes) => this.#said(id, bytes),
        finished: (id, end) => this.#finished(id, end),
        accepting: around.onAccepting,
      },
      threads,
    );
    const { now, onRecord, onMistake, authorities } = around;
    const http = { engine: this.#engine, recording: this.#recording, now, onRecord, onMistake };
    this.#http = new HttpPath(config, authorities, http);
  }

  get ports(): readonly number[] {
    return this.#engine.ports;
  }

  get accepted(): number {
    return this.#count;
  }

  get active(): number {
    return this.#open.size;
  }

  /** What is open now, with what it has moved so far. */
  async live(): Promise<LiveConnection[]> {
    const bytes = await this.#engine.report();
    return [...this.#open].map(([id, connection]) => liveOf(connection, bytes.get(id)));
  }

  /** The ports on which what the app says first may decide. */
  listenFirst(ports: readonly PortRange[]): void {
    this.#engine.peekFirst(ports, HEAD_START_MS);
  }

  /** Judges what is open by the policy in force; what it refuses is reset and recorded as revoked. */
  async reconsider(): Promise<void> {
    this.#http.forgetUpstreams();
    const live = await this.#engine.report();
    const open = [...this.#open].filter(([, { outcome }]) => outcome?.verdict === "allow");
    await Promise.all(
      open.map(([id, connection]) =>
        this.#guard(id, connection, async () => {
          const { outcome } = connection;
          if (outcome?.verdict !== "allow") return;
          if (connection.http) return this.#http.reconsider(id, connection, this.#means(id));
          const dialled = dialledOf(connection, outcome, live.get(id)?.dialled);
          if (!(await refusalOf(connection, dialled, this.#means(id)))) return;
          connection.revoked = true;
          this.#engine.close(id);
        }),
      ),
    );
  }

  /** Resolves when none is open. */
  idle(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#empty.push(resolve));
  }

  /** No HTTP connection goes on to another request. */
  retire(): void {
    this.#http.retire();
  }

  /** For TLS that is originated from now on. */
  trust(authorities: readonly string[]): void {
    this.#http.trust(authorities);
  }

  /** Resets all that are open and gives their number. */
  cut(): number {
    const { size } = this.#open;
    this.#http.cut();
    this.#engine.closeAll();
    return size;
  }

  stop(): Promise<void> {
    this.#http.close();
    return this.#engine.stop();
  }

  #accepted(inbound: Inbound): void {
    this.#count += 1;
    const { id, source, destination } = inbound;
    const connection: OpenConnection = {
      number: this.#count,
      startedMs: this.#around.now(),
      source,
      destination,
      outcome: troubleOf(inbound),
    };
    if (inbound.overLimit) {
      this.#around.onRecord(recordOf(connection, RESET_ALREADY, this.#recording));
      return;
    }
    this.#open.set(id, connection);
    if (connection.outcome) {
      this.#engine.refuse(id);
      return;
    }
    void this.#guard(id, connection, () => this.#judge(id, connection, inbound.head));
  }

  #judge(id: number, connection: OpenConnection, head: Head | undefined): Promise<void> | void {
    if (head && head.bytes.length > 0) note(connection, head, headLimits(this.#config));
    const verdict = decide(connection, this.#means(id));
    if (!(verdict instanceof Promise)) return this.#obey(id, connection, verdict);
    return verdict.then((late) => late && this.#obey(id, connection, late));
  }

  #means(id: number): Means {
    const { policy, names } = this.#around;
    return {
      policy,
      answers: names.answers,
      look: (connection) => this.#look(id, connection, policy().mode === "audit"),
      resolve: (name) => names.lookup(name),
      refresh: async (wanted) => {
        await Promise.all(wanted.map((name) => names.refresh(name)));
      },
    };
  }

  #obey(id: number, connection: OpenConnection, outcome: Outcome): Promise<void> | void {
    connection.outcome = outcome;
    const { destination, seen } = connection;
    if (outcome.verdict !== "allow") return this.#refuse(id, connection);
    if (this.#isSpokenFor(connection)) return this.#http.take(id, connection, this.#means(id));
    const { connectTimeoutMs } = this.#config.limits;
    const { dial, port = destination.port } = outcome;
    this.#engine.relay(id, dial, port, connectTimeoutMs, !seen);
  }

  /** Does what may take its time; a mistake of ours in it costs this connection, and no other. */
  #guard(
    id: number,
    connection: OpenConnection,
    act: () => Promise<void> | void,
  ): Promise<void> | void {
    const mistaken = (error: unknown) => {
      connection.outcome ??= MISTAKEN;
      if (connection.http) connection.http.cut();
      else this.#engine.close(id);
      this.#around.onMistake(error);
    };
    try {
      const done = act();
      if (done instanceof Promise) return done.catch(mistaken);
    } catch (error) {
      mistaken(error);
    }
  }

  /** HTTP, where what it says decides: each request is judged, and the HTTP path has it. */
  #isSpokenFor(connection: OpenConnection): boolean {
    const { answers } = this.#around.names;
    return (
      connection.seen?.protocol === "http" &&
      restsOnWords(this.#around.policy(), attemptOf(connection, answers))
    );
  }

  /** In the app's own language: where nobody has looked yet, a short look says which. */
  async #refuse(id: number, connection: OpenConnection): Promise<void> {
    const { outcome } = connection;
    if (outcome?.verdict !== "deny") return;
    connection.seen ??= await this.#look(id, connection, true);
    const policy = this.#around.policy();
    const attempt = attemptOf(connection, this.#around.names.answers);
    const explanation = explain(policy, attempt, outcome);
    if (connection.seen?.protocol === "http") connection.answerAs ??= statusOf(explanation.reason);
    this.#engine.refuse(id, refusalFor(connection, explanation));
  }

  async #look(id: number, connection: OpenConnection, brief: boolean): Promise<Seen | undefined> {
    const { silentMs, refusedMs, unfinishedMs } = this.#config.waits;
    const patience = brief
      ? { silentMs: refusedMs, unfinishedMs: refusedMs }
      : { silentMs, unfinishedMs };
    const { port } = connection.destination;
    const limits = headLimits(this.#config);
    const sight = await look(this.#engine, id, port, patience, limits, this.#around.now);
    connection.request = sight?.request;
    connection.answerAs = sight?.answerAs;
    return sight?.seen;
  }

  /** What was allowed by its address has shown what it speaks, and perhaps a name: for the record, and for later. */
  #said(id: number, bytes: Buffer): void {
    const connection = this.#open.get(id);
    if (!connection) return;
    const head = { bytes, ended: false };
    void this.#guard(id, connection, () => note(connection, head, headLimits(this.#config)));
  }

  #finished(id: number, end: Finished): void {
    const connection = this.#open.get(id);
    if (!connection) return;
    this.#open.delete(id);
    // Where each request has its record, the connection needs none.
    if (!connection.http)
      void this.#guard(id, connection, () =>
        this.#around.onRecord(recordOf(connection, end, this.#recording)),
      );
    if (this.#open.size === 0) for (const resolve of this.#empty.splice(0)) resolve();
  }
}

/** Why a connection cannot be judged at all. */
function troubleOf({ own, overLimit, error }: Inbound): Outcome | undefined {
  if (own) return { verdict: "trouble", reason: "denied.loop" };
  if (overLimit) return { verdict: "trouble", reason: "denied.limit" };
  if (error !== undefined) return { verdict: "trouble", reason: "failed.internal", error };
  return undefined;
}

const MISTAKEN: Outcome = {
  verdict: "trouble",
  reason: "failed.internal",
  error: "a mistake of the sidecar's own, of which its log tells",
};

const RESET_ALREADY: Finished = {
  sent: 0,
  received: 0,
  totalMs: 0,
  by: "sidecar",
  how: "refused",
};
