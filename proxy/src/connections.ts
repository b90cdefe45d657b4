import type { Policy } from "@sallyport/core/policy";
import type { Reason } from "@sallyport/core/reasons";
import type { DecisionRecord } from "@sallyport/core/record";
import { judge, type OpenConnection, recordOf } from "./connection.ts";
import { type Endpoint, Engine, type EngineLimits, type Finished, type Inbound } from "./engine.ts";

export interface Surroundings {
  readonly pod: { readonly name: string; readonly namespace: string };
  readonly connectTimeoutMs: number;
  policy(): Policy;
  /** Milliseconds since the epoch. */
  now(): number;
  onRecord(record: DecisionRecord): void;
  /** Descriptors have run out, or are free again. */
  onAccepting(paused: boolean, error: string): void;
}

/** What is known of a connection before it ends; the record says the rest. */
export interface LiveConnection {
  readonly id: number;
  readonly startedMs: number;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly reason: Reason;
  readonly rule?: string;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/** All connections of the sidecar: judged when the engine has accepted them, recorded when it has finished them. */
export class Connections {
  readonly #engine: Engine;
  readonly #around: Surroundings;
  readonly #open = new Map<number, OpenConnection>();
  #empty: (() => void)[] = [];
  #count = 0;

  /** Listens at once. Throws EngineError. */
  constructor(
    listen: readonly Endpoint[],
    limits: EngineLimits,
    threads: number,
    around: Surroundings,
  ) {
    this.#around = around;
    const handlers = {
      accepted: (inbound: Inbound) => this.#accepted(inbound),
      finished: (id: number, end: Finished) => this.#finished(id, end),
      accepting: around.onAccepting,
    };
    this.#engine = new Engine(listen, limits, handlers, threads);
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
    return [...this.#open].map(([id, { number, startedMs, source, destination, judgement }]) => ({
      id: number,
      startedMs,
      source,
      destination,
      reason: judgement.reason,
      ...(judgement.rule !== undefined && { rule: judgement.rule }),
      bytesSent: bytes.get(id)?.sent ?? 0,
      bytesReceived: bytes.get(id)?.received ?? 0,
    }));
  }

  /** Resolves when none is open. */
  idle(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#empty.push(resolve));
  }

  /** Resets all that are open and gives their number. */
  cut(): number {
    this.#engine.closeAll();
    return this.#open.size;
  }

  stop(): Promise<void> {
    return this.#engine.stop();
  }

  #accepted(inbound: Inbound): void {
    const { policy, now, connectTimeoutMs, pod, onRecord } = this.#around;
    const judgement = judge(inbound, policy());
    this.#count += 1;
    const connection: OpenConnection = {
      number: this.#count,
      startedMs: now(),
      source: inbound.source,
      destination: inbound.destination,
      judgement,
    };
    if (inbound.overLimit) {
      onRecord(recordOf(connection, RESET_ALREADY, pod));
      return;
    }
    this.#open.set(inbound.id, connection);
    if (judgement.dial.length > 0)
      this.#engine.relay(inbound.id, judgement.dial, inbound.destination.port, connectTimeoutMs);
    else this.#engine.refuse(inbound.id);
  }

  #finished(id: number, end: Finished): void {
    const connection = this.#open.get(id);
    if (!connection) return;
    this.#open.delete(id);
    this.#around.onRecord(recordOf(connection, end, this.#around.pod));
    if (this.#open.size === 0) for (const resolve of this.#empty.splice(0)) resolve();
  }
}

const RESET_ALREADY: Finished = {
  sent: 0,
  received: 0,
  totalMs: 0,
  by: "sidecar",
  how: "refused",
};
