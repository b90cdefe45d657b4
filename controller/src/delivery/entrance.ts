import type { IncomingMessage } from "node:http";
import { DELIVERY_PATH, DELIVERY_PROTOCOL } from "@sallyport/core/delivery";
import type { PodRef, Snapshots } from "../rules/snapshots.ts";
import type { RefusalCode } from "./refusals.ts";
import type { Reviewer } from "./reviewer.ts";
import type { Accepted } from "./standing.ts";

export interface EntranceOptions {
  readonly snapshots: Snapshots;
  readonly reviewer: Reviewer;
  /** Undefined where there is room. */
  readonly noRoom: () => Extract<RefusalCode, "full" | "leaving"> | undefined;
}

export type Entrance =
  | { readonly accepted: Accepted; readonly token: string }
  | { readonly refused: RefusalCode; readonly why?: string };

/** Who may have a stream? First hit wins; nothing of a request but its token says whose policy it will be. */
export async function enter(
  request: Pick<IncomingMessage, "method" | "url" | "headers">,
  { snapshots, reviewer, noRoom }: EntranceOptions,
): Promise<Entrance> {
  if (request.url !== DELIVERY_PATH) return { refused: "not_here" };
  if (request.method !== "GET" || request.headers.upgrade?.toLowerCase() !== DELIVERY_PROTOCOL)
    return { refused: "no_upgrade" };
  const [, token] = /^Bearer ([\w.~+/=-]+)$/i.exec(request.headers.authorization ?? "") ?? [];
  if (token === undefined) return { refused: "no_token" };
  const without = noRoom();
  if (without) return { refused: without };

  const review = await reviewer.review(token);
  if (review.kind === "unavailable") return { refused: "api_server_away", why: review.why };
  if (review.kind === "refused")
    return { refused: review.status === 401 ? "bad_token" : "not_a_pods", why: review.why };
  const unknown = await notKnown(review.pod, snapshots);
  return unknown ?? { accepted: review, token };
}

/** The pod may be newer than what the watch has told. */
async function notKnown(pod: PodRef, snapshots: Snapshots): Promise<Entrance | undefined> {
  const { notReady } = snapshots;
  if (notReady !== undefined)
    return {
      refused: "not_ready",
      why: `this controller does not know the rules yet: ${notReady}`,
    };
  if (snapshots.of(pod)) return undefined;
  try {
    await snapshots.catchUp(pod, undefined);
  } catch (error) {
    return { refused: "api_server_away", why: (error as Error).message };
  }
  return snapshots.of(pod) ? undefined : { refused: "no_such_pod" };
}
