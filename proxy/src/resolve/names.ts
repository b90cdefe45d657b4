import type { Answers } from "@sallyport/core/decision";
import { type Answer, isNone, type Reply } from "./answer.ts";
import { AnswerCache } from "./answer-cache.ts";
import { KeptNames } from "./kept-names.ts";
import { DEFAULTS, type Limits, lifetimeMs } from "./limits.ts";
import { hasGlobalIPv6 } from "./order.ts";
import { Servers } from "./servers.ts";

export interface NamesOptions {
  /** `10.96.0.10`, `10.96.0.10:53`, `[fd00::a]:53`; the next is asked when one is silent or at a loss. */
  readonly servers: readonly string[];
  /** Milliseconds since the epoch. */
  now(): number;
  readonly limits?: Partial<Limits>;
  readonly ipv6First?: () => boolean;
}

/** Counted since the start, and held now. */
export interface NamesFigures {
  readonly lookups: number;
  /** Of these, answered without a question to anybody. */
  readonly hits: number;
  /** Names asked of the servers, for a lookup or ahead of one. */
  readonly asked: number;
  /** Of these, answered with "there is none". */
  readonly none: number;
  /** Of these, not answered: `timeouts`, and whatever else was wrong. */
  readonly failed: number;
  readonly timeouts: number;
  readonly pending: number;
  readonly cached: number;
  readonly kept: number;
  /** Of these, of which nothing is known. */
  readonly keptUnknown: number;
  /** That count as some kept name's. */
  readonly keptAddresses: number;
}

const CLOSED: Answer = { addresses: [], error: "closed" };

/**
 * The proxy's own resolution. What it says is what the given servers have said, whatever the pod's own settings say;
 * names are canonical (core's hostname.ts) and absolute.
 */
export class Names {
  /** What is known now, for `evaluate`. */
  readonly answers: Answers;
  readonly #now: () => number;
  readonly #limits: Limits;
  readonly #ipv6First: () => boolean;
  readonly #cache: AnswerCache;
  readonly #kept: KeptNames;
  readonly #waiting = new Map<string, PromiseWithResolvers<Answer>>();
  #given: readonly string[];
  #servers: Servers;
  #closed = false;
  #tick: NodeJS.Timeout | undefined;
  #refreshing = 0;
  readonly #counts = { lookups: 0, hits: 0, asked: 0, none: 0, failed: 0, timeouts: 0 };

  constructor({ servers, now, limits, ipv6First = hasGlobalIPv6 }: NamesOptions) {
    this.#now = now;
    this.#limits = { ...DEFAULTS, ...limits };
    this.#ipv6First = ipv6First;
    this.#cache = new AnswerCache(this.#limits.maxNames, this.#limits.maxAddresses);
    this.#kept = new KeptNames(this.#limits);
    this.#given = servers;
    this.#servers = new Servers(servers, this.#limits, ipv6First);
    this.answers = {
      addressesOf: (name) => this.#addressesOf(name),
      namesOf: (address) => this.#kept.namesOf(address, now()),
    };
  }

  get figures(): NamesFigures {
    return {
      ...this.#counts,
      pending: this.#waiting.size,
      cached: this.#cache.size,
      kept: this.#kept.size,
      keptUnknown: this.#kept.unknown(this.#now()),
      keptAddresses: this.#kept.addresses,
    };
  }

  /** What is known while its TTL lasts, otherwise asked; who asks meanwhile shares the question. Never rejects. */
  lookup(name: string): Promise<Answer> {
    this.#counts.lookups += 1;
    const nowMs = this.#now();
    const known = this.#kept.fresh(name, nowMs) ?? this.#cache.get(name, nowMs);
    if (!known) return this.#ask(name);
    this.#counts.hits += 1;
    return Promise.resolve(known);
  }

  /** A kept name asked for anew, its TTL notwithstanding, if that was not done a moment ago. */
  refresh(name: string): Promise<Answer> {
    const known = this.#kept.justLearned(name, this.#now());
    return known ? Promise.resolve(known) : this.#ask(name);
  }

  /** The names to keep resolved ahead of need, in place of those before. */
  keep(names: Iterable<string>): void {
    this.#kept.keep(names);
    clearInterval(this.#tick);
    if (this.#closed || this.#kept.size === 0) return;
    this.#tick = setInterval(() => this.#refresh(), this.#limits.keptTickMs).unref();
    this.#refresh();
  }

  /** What others have said is asked for anew; what they said of kept names counts for as long as it would have. */
  setServers(servers: readonly string[]): void {
    if (this.#closed || servers.join() === this.#given.join()) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    this.#servers.close();
    this.#given = servers;
    this.#servers = new Servers(servers, this.#limits, this.#ipv6First);
    this.#cache.clear();
    this.#kept.askAgain();
    for (const [name, { resolve }] of waiting) resolve(this.#ask(name));
    this.#refresh();
  }

  /** Whoever waits is told `closed`. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#tick);
    this.#servers.close();
    for (const { resolve } of this.#waiting.values()) resolve(CLOSED);
    this.#waiting.clear();
  }

  #addressesOf(name: string): readonly string[] | undefined {
    const nowMs = this.#now();
    if (this.#kept.has(name)) return this.#kept.addressesOf(name, nowMs);
    const answer = this.#cache.get(name, nowMs);
    return answer && (!answer.error || isNone(answer.error)) ? answer.addresses : undefined;
  }

  #ask(name: string): Promise<Answer> {
    const asked = this.#waiting.get(name);
    if (asked) return asked.promise;
    if (this.#closed) return Promise.resolve(CLOSED);
    const question = Promise.withResolvers<Answer>();
    this.#waiting.set(name, question);
    this.#counts.asked += 1;
    const servers = this.#servers;
    servers.ask(name, (reply) => {
      if (servers !== this.#servers || this.#closed) return;
      const answer = this.#remember(name, reply);
      if (this.#waiting.get(name) !== question) return;
      this.#waiting.delete(name);
      this.#count(reply);
      question.resolve(answer);
    });
    return question.promise;
  }

  #remember(name: string, reply: Reply): Answer {
    const nowMs = this.#now();
    const { addresses, failure: error } = reply;
    const answer = addresses.length === 0 && error ? { addresses, error } : { addresses };
    if (this.#kept.has(name)) {
      this.#kept.remember(name, reply, nowMs, Math.random());
      return this.#kept.fresh(name, nowMs) ?? answer;
    }
    this.#cache.set(name, { answer, untilMs: nowMs + lifetimeMs(reply, this.#limits) });
    return answer;
  }

  #count({ addresses, failure }: Reply): void {
    if (addresses.length > 0) return;
    this.#counts[isNone(failure) ? "none" : "failed"] += 1;
    if (failure === "timeout") this.#counts.timeouts += 1;
  }

  /** Asks for the kept names whose time has come, a few at a time. */
  #refresh(): void {
    if (this.#closed) return;
    const room = this.#limits.keptAtOnce - this.#refreshing;
    for (const name of this.#kept.due(this.#now(), room)) {
      this.#refreshing += 1;
      void this.#ask(name).then(() => {
        this.#refreshing -= 1;
        this.#refresh();
      });
    }
  }
}
