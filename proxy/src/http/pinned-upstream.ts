import type { Allowed, Seen } from "@sallyport/core/decision";
import { isSameName } from "./seen.ts";
import type { Upstream } from "./upstream.ts";
import { type Goal, keysOf, type Upstreams } from "./upstreams.ts";
import type { WireUser } from "./wire.ts";

/** By which policy a name was allowed: it counts for as long as the upstream stands that it led to. */
interface Standing {
  readonly policy: unknown;
  readonly seen: Seen;
  readonly verdict: Allowed;
}

/**
 * The upstream that stays with an app's connection while its requests go to the same place. Between two requests it has
 * the word over it: what ends there then ends the app's connection too, as if nobody stood between.
 */
export class PinnedUpstream implements WireUser {
  readonly #upstreams: Upstreams;
  readonly #onEnd: () => void;
  #upstream: Upstream | undefined;
  #standing: Standing | undefined;

  constructor(upstreams: Upstreams, onEnd: () => void) {
    this.#upstreams = upstreams;
    this.#onEnd = onEnd;
  }

  get current(): Upstream | undefined {
    return this.#upstream;
  }

  /** What was decided for the same name by the same policy, where the upstream that it led to still stands. */
  standing(policy: unknown, seen: Seen): Allowed | undefined {
    const standing = this.#upstream && this.#standing;
    return standing && standing.policy === policy && isSameName(standing.seen, seen)
      ? standing.verdict
      : undefined;
  }

  /** This one where it leads there, or an idle one; an idle one may be about to close, and is for what can be asked twice. */
  reach(goal: Goal, isRepeatable: boolean): Upstream | undefined {
    if (this.#upstream && keysOf(goal).includes(this.#upstream.key)) return this.#upstream;
    this.leave();
    return isRepeatable ? this.#upstreams.idle(goal) : undefined;
  }

  pin(upstream: Upstream, standing?: Standing): void {
    this.#upstream = upstream;
    this.#standing = standing;
  }

  /** Nobody asks anything there for now. */
  rest(): void {
    if (this.#upstream) this.#upstream.wire.user = this;
  }

  /** The next request is judged, whatever name it has. */
  doubt(): void {
    this.#standing = undefined;
  }

  get isTrusted(): boolean {
    return !this.#upstream || this.#upstreams.isTrusted(this.#upstream);
  }

  /** For whoever goes there next. */
  leave(): void {
    const upstream = this.lose();
    if (upstream) this.#upstreams.putBack(upstream);
  }

  /** Closes it. */
  drop(): void {
    const upstream = this.lose();
    if (!upstream) return;
    upstream.wire.user = undefined;
    upstream.wire.close();
  }

  /** It is the caller's from here on. */
  lose(): Upstream | undefined {
    const upstream = this.#upstream;
    this.#upstream = this.#standing = undefined;
    return upstream;
  }

  /** Nobody has asked: it would be taken for the next answer (RFC 9112 §9.2). */
  bytes(): void {
    this.ended();
  }

  ended(): void {
    this.drop();
    this.#onEnd();
  }

  gone(): void {
    this.ended();
  }

  drained(): void {}
}
