import type { Allowed, Seen, Verdict } from "@sallyport/core/decision";
import { explain } from "@sallyport/core/explain";
import { explainFailure } from "@sallyport/core/failure";
import type { Policy } from "@sallyport/core/policy";
import type { DecisionRecord } from "@sallyport/core/record";
import { attemptOf, decide, type Means, type OpenConnection, refusalOf } from "../connection.ts";
import { type Recording, recordOfRequest } from "../connection-record.ts";
import type { ProxyConfig } from "../contract.ts";
import type { Engine } from "../engine.ts";
import { HttpConnection } from "./http-connection.ts";
import type { HttpLimits, HttpMeans } from "./http-means.ts";
import { IdlePool } from "./idle-pool.ts";
import type { HeadLimits } from "./message/head-end.ts";
import { Originator } from "./originate.ts";
import { isSameName } from "./seen.ts";
import { SocketSet } from "./socket-set.ts";
import { Upstreams } from "./upstreams.ts";

/** How often it is looked for what has waited too long: so much later than it should does it end. */
const TICK_MS = 200;

/** How long an app may take to read our own answer (RFC 9112 §9.6: closing at once could take it away). */
const LINGER_MS = 2_000;

const NOTHING_KNOWN: Partial<Allowed> = {};

export interface HttpSurroundings {
  readonly engine: Engine;
  readonly recording: Recording;
  now(): number;
  onRecord(record: DecisionRecord): void;
  /** An error of our own code: it has cost one connection. */
  onMistake(error: unknown): void;
}

export function headLimits({ http }: Pick<ProxyConfig, "http">): HeadLimits {
  return { bytes: http.headBytes, fields: http.headFields, targetBytes: http.targetBytes };
}

/** All connections over which HTTP is spoken, from the engine's letting go of them until they are closed. */
export class HttpPath {
  readonly #around: HttpSurroundings;
  readonly #limits: HttpLimits;
  readonly #connectMs: number;
  readonly #originator: Originator;
  readonly #upstreams: Upstreams;
  readonly #open = new Map<number, HttpConnection>();
  readonly #sockets: SocketSet;
  #isRetiring = false;
  #timer: NodeJS.Timeout | undefined;

  /** `authorities`: trusted beside the well-known ones, for TLS that is originated. */
  constructor(
    {
      http,
      limits,
      waits,
      upstreamTls,
    }: Pick<ProxyConfig, "http" | "limits" | "waits" | "upstreamTls">,
    authorities: readonly string[],
    around: HttpSurroundings,
  ) {
    this.#around = around;
    this.#connectMs = limits.connectTimeoutMs;
    this.#limits = {
      head: headLimits({ http }),
      patience: {
        head: waits.unfinishedMs,
        idle: http.idleTimeoutMs,
        exchange: http.exchangeTimeoutMs,
        tunnel: http.exchangeTimeoutMs,
        linger: LINGER_MS,
      },
      connectionMs: http.connectionTimeoutMs,
    };
    const pool = new IdlePool(
      {
        total: http.idleUpstreams,
        each: http.idleUpstreamsEach,
        idleMs: http.idleUpstreamTimeoutMs,
      },
      around.now,
    );
    // At once: when descriptors have run out there would be none for it.
    this.#sockets = new SocketSet(around.onMistake);
    this.#originator = new Originator(authorities, upstreamTls.handshakeTimeoutMs);
    this.#upstreams = new Upstreams(pool, this.#originator, this.#sockets, around.now);
  }

  get idleUpstreams(): number {
    return this.#upstreams.pool.size;
  }

  /** Takes the app's socket over, once its first request has been judged. The engine is told when it is closed. */
  async take(id: number, connection: OpenConnection, means: Means): Promise<void> {
    const judged = { policy: means.policy(), seen: connection.seen, outcome: connection.outcome };
    const fd = await this.#around.engine.release(id);
    if (fd === undefined) return;
    const { engine, onMistake } = this.#around;
    const wire = this.#sockets.open(fd);
    if (wire instanceof Error) {
      connection.outcome = {
        ...{ verdict: "trouble", reason: "failed.internal", error: wire.message },
      };
      engine.close(id);
      onMistake(wire);
      return;
    }
    const http = new HttpConnection(wire, {
      ...{ port: connection.destination.port, limits: this.#limits, upstreams: this.#upstreams },
      mistaken: onMistake,
      dial: (addresses, port) => engine.dial(id, addresses, port, this.#connectMs),
      closed: () => {
        this.#open.delete(id);
        engine.close(id);
      },
      ...this.#meansOf(connection, means, judged),
    });
    connection.http = http;
    if (this.#isRetiring) http.retire();
    this.#open.set(id, http);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** By the policy in force now: what is under way and not permitted any more ends, and nothing idle is kept. */
  async reconsider(id: number, connection: OpenConnection, means: Means): Promise<void> {
    await this.#open.get(id)?.reconsider((dialled) => refusalOf(connection, [dialled], means));
  }

  forgetUpstreams(): void {
    this.#upstreams.pool.clear();
  }

  trust(authorities: readonly string[]): void {
    this.#originator.trust(authorities);
    this.forgetUpstreams();
    for (const http of this.#open.values()) http.distrust();
  }

  /** No connection goes on to another request. */
  retire(): void {
    this.#isRetiring = true;
    for (const http of this.#open.values()) http.retire();
  }

  /** Resets what is open. */
  cut(): void {
    for (const http of [...this.#open.values()]) http.cut();
    this.forgetUpstreams();
  }

  close(): void {
    clearInterval(this.#timer);
    this.cut();
  }

  #tick(): void {
    const nowMs = this.#around.now();
    for (const http of [...this.#open.values()]) this.#guard(http, () => http.tick(nowMs));
    this.#upstreams.pool.sweep();
    if (this.#open.size > 0 || this.#upstreams.pool.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #guard(http: HttpConnection, act: () => void): void {
    try {
      act();
    } catch (error) {
      http.cut();
      this.#around.onMistake(error);
    }
  }

  #meansOf(
    connection: OpenConnection,
    means: Means,
    first: {
      readonly policy: Policy;
      readonly seen?: Seen | undefined;
      readonly outcome?: OpenConnection["outcome"];
    },
  ): Pick<HttpMeans, "now" | "policy" | "judge" | "explain" | "explainFailure" | "record"> {
    const { recording, onRecord, now } = this.#around;
    const attempt = (seen: Seen) => attemptOf({ ...connection, seen }, means.answers);
    const judge = (seen: Seen): Verdict | Promise<Verdict | undefined> => {
      const { outcome } = first;
      if (outcome?.verdict === "allow" && first.seen && connection.http?.requests === 1)
        if (first.policy === means.policy() && isSameName(first.seen, seen)) return outcome;
      connection.seen = seen;
      connection.resolved = connection.unanswered = undefined;
      connection.refreshed = false;
      const verdict = decide(connection, means);
      if (!(verdict instanceof Promise)) {
        connection.outcome = verdict;
        return verdict;
      }
      return verdict.then((late) => {
        connection.outcome = late;
        return late;
      });
    };
    return {
      now,
      policy: means.policy,
      judge,
      explain: (seen, denied) => explain(means.policy(), attempt(seen), denied),
      explainFailure: (seen, failure) => {
        const { outcome } = connection;
        const { externalName, port } = outcome?.verdict === "allow" ? outcome : NOTHING_KNOWN;
        const dialled = { ...attempt(seen), ...(port !== undefined && { port }) };
        return explainFailure(dialled, { ...failure, externalName });
      },
      record: (told) => onRecord(recordOfRequest(connection, told, recording, now())),
    };
  }
}
