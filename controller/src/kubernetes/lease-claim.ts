import type { V1LeaseSpec, V1MicroTime } from "@kubernetes/client-node";

/** Defaults as client-go's (tools/leaderelection): long enough for clocks and networks that stall a little. */
export const LEASE_TIMES = {
  leaseMs: 15_000, // a holder that has not been heard of for that long has lost it
  renewMs: 10_000, // one that could not renew for that long stops leading: before others may begin
  retryMs: 2_000, // between attempts, to renew as to acquire
} as const;
export type LeaseTimes = { readonly [name in keyof typeof LEASE_TIMES]: number };

export interface Claimant {
  readonly identity: string;
  readonly leaseMs: number;
}

/** What a Lease is to say that is ours from now on; undefined while it is another's. */
export function claim(
  found: V1LeaseSpec | undefined,
  { identity, leaseMs }: Claimant,
  /** By our own clock: the holder's times are by a clock that may be wrong. */
  unchangedForMs: number,
  now: V1MicroTime,
): V1LeaseSpec | undefined {
  const holder = found?.holderIdentity ?? "";
  const ours = holder === identity;
  if (holder !== "" && !ours && unchangedForMs < leaseMs) return undefined;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(leaseMs / 1_000),
    acquireTime: ours && found?.acquireTime ? found.acquireTime : now,
    renewTime: now,
    leaseTransitions: (found?.leaseTransitions ?? 0) + (ours ? 0 : 1),
  };
}

/** What a Lease is to say that nobody holds any more: the next one takes it at once. */
export function surrender(found: V1LeaseSpec | undefined, now: V1MicroTime): V1LeaseSpec {
  return {
    holderIdentity: "",
    leaseDurationSeconds: 1,
    acquireTime: now,
    renewTime: now,
    leaseTransitions: found?.leaseTransitions ?? 0,
  };
}
