import { createHash } from "node:crypto";
import { type Reviewed, type ReviewStatus, readReview } from "./token-review.ts";

const REVIEWS = {
  /** How long the API server's yes counts; it may be asked again a fifth of that sooner, so that not all are at once. */
  keptMs: 600_000,
  /** And its no: whoever comes again and again does not trouble it each time. */
  refusedMs: 10_000,
  /** At once; and those that may wait for their turn. */
  atOnce: 16,
  waiting: 1_024,
  /** What is remembered; the oldest goes. */
  most: 8_192,
} as const;

export type Review =
  | (Extract<Reviewed, { kind: "pod" }> & {
      /** By `performance.now()`: until when it counts, and when the token itself has ended at the latest. */
      readonly untilMs: number;
      readonly latestMs: number;
    })
  | Extract<Reviewed, { kind: "refused" }>
  /** The API server did not say. */
  | { readonly kind: "unavailable"; readonly why: string };

export interface Reviewer {
  review(token: string): Promise<Review>;
  /** What the API server answered, or did not. */
  readonly counts: Readonly<Record<Review["kind"], number>>;
}

/** Who has this token? Asked of the API server, remembered by the token's hash: the token itself is not kept. */
export function createReviewer(
  ask: (token: string) => Promise<ReviewStatus | undefined>,
  nowMs: () => number = () => performance.now(),
): Reviewer {
  const known = new Map<string, { readonly review: Review; readonly untilMs: number }>();
  const underWay = new Map<string, Promise<Review>>();
  const counts = { pod: 0, refused: 0, unavailable: 0 };
  const turns = createTurns(REVIEWS.atOnce, REVIEWS.waiting);

  const asked = async (token: string): Promise<Review> => {
    if (!(await turns.take()))
      return { kind: "unavailable", why: "too many tokens are being reviewed" };
    try {
      const reviewed = readReview(await ask(token), token);
      const now = nowMs();
      if (reviewed.kind === "refused") return reviewed;
      const keptMs = REVIEWS.keptMs * (0.8 + 0.2 * Math.random());
      return {
        ...reviewed,
        untilMs: now + Math.min(keptMs, reviewed.lifeMs),
        latestMs: now + reviewed.lifeMs,
      };
    } catch (error) {
      return { kind: "unavailable", why: (error as Error).message };
    } finally {
      turns.giveBack();
    }
  };
  const remember = (hash: string, review: Review) => {
    counts[review.kind]++;
    if (review.kind === "unavailable") return;
    known.delete(hash);
    const untilMs = review.kind === "pod" ? review.untilMs : nowMs() + REVIEWS.refusedMs;
    known.set(hash, { review, untilMs });
    const [oldest] = known.keys();
    if (known.size > REVIEWS.most && oldest !== undefined) known.delete(oldest);
  };
  return {
    counts,
    review: (token) => {
      const hash = createHash("sha256").update(token).digest("base64");
      const found = known.get(hash);
      if (found && nowMs() < found.untilMs) return Promise.resolve(found.review);
      let review = underWay.get(hash);
      if (!review) {
        review = asked(token).then((given) => {
          underWay.delete(hash);
          remember(hash, given);
          return given;
        });
        underWay.set(hash, review);
      }
      return review;
    },
  };
}

/** `take` gives false where too many wait already. */
function createTurns(atOnce: number, waiting: number) {
  let free = atOnce;
  const queue: (() => void)[] = [];
  return {
    take: async (): Promise<boolean> => {
      if (free > 0) {
        free--;
        return true;
      }
      if (queue.length >= waiting) return false;
      await new Promise<void>((resolve) => queue.push(resolve));
      return true;
    },
    giveBack: (): void => {
      const next = queue.shift();
      if (next) next();
      else free++;
    },
  };
}
