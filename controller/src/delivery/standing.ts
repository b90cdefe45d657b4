import type { PodRef } from "../rules/snapshots.ts";
import type { Review, Reviewer } from "./reviewer.ts";

export type Accepted = Extract<Review, { kind: "pod" }>;

export interface StandingOptions {
  readonly reviewer: Reviewer;
  /** When to ask again where the API server could not say. */
  readonly againMs: number;
  /** It is its pod's token no more, or nobody can say so any longer. */
  readonly onLost: (why: string) => void;
}

/** Whether a stream is still its pod's, by the newest token that it has sent. */
export class Standing {
  readonly pod: PodRef;
  token: string;
  readonly #options: StandingOptions;
  #accepted: Accepted;
  #reviewMs: number;
  #isAsking = false;

  constructor(accepted: Accepted, token: string, options: StandingOptions) {
    this.pod = accepted.pod;
    this.token = token;
    this.#options = options;
    this.#accepted = accepted;
    this.#reviewMs = accepted.untilMs;
  }

  look(nowMs: number): void {
    if (nowMs >= this.#reviewMs && !this.#isAsking) void this.#review();
  }

  /** Where the API server cannot say, it counts while the token may be alive. */
  async #review(): Promise<void> {
    const { reviewer, againMs, onLost } = this.#options;
    this.#isAsking = true;
    const review = await reviewer.review(this.token);
    this.#isAsking = false;
    const now = performance.now();
    if (review.kind === "pod" && review.pod.uid === this.pod.uid) {
      this.#accepted = review;
      this.#reviewMs = review.untilMs;
    } else if (review.kind === "unavailable" && now < this.#accepted.latestMs)
      this.#reviewMs = now + againMs;
    else onLost(review.kind === "pod" ? "the token is another pod's" : review.why);
  }
}
