import type { Allowed, Denied, Verdict } from "@sallyport/core/decision";
import type { Exchange } from "./exchange.ts";
import type { HttpMeans } from "./http-means.ts";
import * as own from "./own-ending.ts";
import type { PinnedUpstream } from "./pinned-upstream.ts";
import type { Upstream } from "./upstream.ts";
import type { Goal } from "./upstreams.ts";

/** There is no name that a certificate could be verified for. */
const NAMELESS: Denied = { verdict: "deny", reason: "denied.name_invalid" };

export interface CourseEvents {
  /** The one that is under way; what comes too late for another is dropped. */
  readonly current: Exchange | undefined;
  /** It goes there. */
  leads(exchange: Exchange, allowed: Allowed, upstream: Upstream): void;
  /** It goes nowhere. */
  ends(exchange: Exchange, ending: own.OwnEnding): void;
  /** The app's connection is gone, or has to be cut. */
  lost(): void;
}

/** From a request to the upstream that it may go to: judged, then the pinned one, an idle one, or one connected for it. */
export class Course {
  readonly #means: HttpMeans;
  readonly #upstream: PinnedUpstream;
  readonly #events: CourseEvents;
  /** Ends what is under way to an upstream that nobody waits for any more. */
  #connecting: AbortController | undefined;

  constructor(means: HttpMeans, upstream: PinnedUpstream, events: CourseEvents) {
    this.#means = means;
    this.#upstream = upstream;
    this.#events = events;
  }

  set(exchange: Exchange): void {
    const { current } = this.#upstream;
    const standing = this.#upstream.standing(this.#means.policy(), exchange.seen);
    if (standing && current) {
      this.#events.leads(exchange, standing, current);
      return;
    }
    const verdict = this.#means.judge(exchange.seen);
    if (verdict instanceof Promise) this.#later(async () => this.#obey(exchange, await verdict));
    else this.#obey(exchange, verdict);
  }

  abandon(): void {
    this.#connecting?.abort();
  }

  #obey(exchange: Exchange, verdict: Verdict | undefined): void {
    if (!verdict || this.#events.current !== exchange) return;
    exchange.verdict = verdict;
    if (verdict.verdict === "allow") this.#send(exchange, verdict);
    else this.#events.ends(exchange, own.refused(this.#means, exchange.seen, verdict));
  }

  #send(exchange: Exchange, allowed: Allowed): void {
    const { upstreams, port, policy } = this.#means;
    const goal = upstreams.goalOf(allowed, exchange.seen, port);
    if (!goal) {
      this.#events.ends(exchange, own.refused(this.#means, exchange.seen, NAMELESS));
      return;
    }
    const reached = this.#upstream.reach(goal, exchange.mayMeetItsEnd);
    if (reached) this.#events.leads(exchange, allowed, reached);
    else this.#later(() => this.#connect(exchange, goal, policy()));
  }

  async #connect(exchange: Exchange, goal: Goal, judgedBy: unknown): Promise<void> {
    const { upstreams, dial, judge, policy } = this.#means;
    this.#connecting = new AbortController();
    const upstream = await upstreams.connect(goal, dial, this.#connecting.signal);
    this.#connecting = undefined;
    if (this.#events.current !== exchange) {
      if (upstream && "wire" in upstream) upstream.wire.close();
    } else if (!upstream) {
      this.#events.lost();
    } else if ("reason" in upstream) {
      const failure = { by: "upstream", ...upstream } as const;
      this.#events.ends(exchange, own.failedThere(this.#means, exchange.seen, failure));
    } else if (judgedBy === policy() && upstreams.isTrusted(upstream)) {
      this.#events.leads(exchange, goal.allowed, upstream);
    } else {
      // A newer policy is asked, and finds this one where it still leads here; and so where others are trusted now.
      this.#upstream.pin(upstream);
      this.#upstream.rest();
      this.#obey(exchange, await judge(exchange.seen));
    }
  }

  /** Does what takes its time; a mistake of ours in it costs this connection. */
  #later(act: () => Promise<void>): void {
    act().catch((error) => {
      this.#events.lost();
      this.#means.mistaken(error);
    });
  }
}
