import type { ServingCertificate, SharedAuthority } from "../certificates.ts";

const HOUR_MS = 3_600_000;
/** It is this replica's alone and made in a moment; a sidecar's clock may be behind by an hour. */
const LIFE_MS = 24 * HOUR_MS;
const BACKDATED_MS = HOUR_MS;
const RENEWED_AFTER_MS = 16 * HOUR_MS;

/** What a replica serves sidecars with, issued by the authority that all replicas share. */
export interface PolicyCertificate {
  /** Undefined until there is an authority. */
  readonly current: ServingCertificate | undefined;
  /** True when `current` has become another. */
  refresh(nowMs: number): Promise<boolean>;
}

export function policyCertificate(
  authority: () => SharedAuthority | undefined,
  names: readonly string[],
): PolicyCertificate {
  let current: ServingCertificate | undefined;
  let issuer: SharedAuthority | undefined;
  let issuedAtMs = 0;
  return {
    get current() {
      return current;
    },
    refresh: async (nowMs) => {
      const trusted = authority();
      // A clock that was set back makes none that is not valid yet any better.
      const renew = Math.abs(nowMs - issuedAtMs) >= RENEWED_AFTER_MS;
      if (!trusted || (trusted === issuer && !renew)) return false;
      current = await trusted.issue(names, nowMs - BACKDATED_MS, LIFE_MS + BACKDATED_MS);
      [issuer, issuedAtMs] = [trusted, nowMs];
      return true;
    },
  };
}
