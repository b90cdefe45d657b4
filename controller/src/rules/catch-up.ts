import { setTimeout as delay } from "node:timers/promises";
import type { Basis } from "@sallyport/core/delivery";
import type { Collection } from "./collection.ts";
import type { Follower } from "./follow.ts";

/** A collection of a basis. */
export interface Followed {
  readonly what: string;
  readonly collection: Pick<Collection<unknown>, "version">;
  readonly follower: Follower;
}

/** One object of a basis: a pod, a namespace. */
export interface Sought {
  /** Its name in the basis. */
  readonly what: string;
  readonly version: () => bigint | undefined;
  /** Asks for it, and takes over what there is. */
  readonly find: () => Promise<void>;
}

/** A watch is seldom further behind; to list a collection again costs more than to wait. */
const PATIENCE = { rounds: 10, roundMs: 50 } as const;

/**
 * Until everything is known that went into `basis`; whether something of it cannot be, because the API server has gone back
 * or because a later version of the controller follows more than this one.
 */
export async function catchUp(
  basis: Basis,
  followed: readonly Followed[],
  sought: readonly Sought[],
): Promise<{ readonly rewound: boolean }> {
  const lagging = () =>
    followed.filter(({ what, collection }) => isBehind(collection.version, basis[what]));
  for (let round = 0; round < PATIENCE.rounds && lagging().length > 0; round++)
    await delay(PATIENCE.roundMs);
  await Promise.all(lagging().map(({ follower }) => follower.relist()));
  const missing = () =>
    sought.filter(
      ({ what, version }) => version() === undefined || isBehind(version(), basis[what]),
    );
  await Promise.all(missing().map(({ find }) => find()));
  const known = new Set([...followed, ...sought].map(({ what }) => what));
  const rewound =
    lagging().length > 0 ||
    sought.some(({ what, version }) => isBehind(version(), basis[what])) ||
    Object.keys(basis).some((what) => !known.has(what));
  return { rewound };
}

function isBehind(version: bigint | undefined, wanted: string | undefined): boolean {
  return wanted !== undefined && (version ?? 0n) < BigInt(wanted);
}
