import { isNone, type Reply } from "./answer.ts";

export const DEFAULTS = {
  /** Until a silent server is left for the next, or asked again; longer each round. c-ares shortens it to five times a server's usual answer, 250 ms at least. */
  timeoutMs: 500,
  /** Of each server. */
  tries: 4,
  /** For all of a lookup, whatever the servers do. */
  lookupMs: 5_000,
  /** For the other family, once one has given addresses. RFC 8305 §3 proposes 50 ms; here what comes late is missed, not raced. */
  otherFamilyMs: 1_000,

  /** A TTL of 0 is for the transaction in progress (RFC 1035 §3.2.1): a page's worth of connections is one. */
  ttlMinMs: 1_000,
  /** As c-ares' own cache has it. */
  ttlMaxMs: 3_600_000,
  /** For "there is none": the SOA's own figure (RFC 2308 §5) is not among what c-ares gives. */
  noneMs: 5_000,
  /** For no answer; RFC 9520 §3.2 asks for a second at least. */
  failureMs: 1_000,
  /** For the addresses of one family, while the other is not known. */
  partialMaxMs: 30_000,

  /** Names in the cache at most, and at least half of it of those last used; kept names are beside it and stay. */
  maxNames: 10_000,
  /** The same, of all their addresses: one answer may have thousands. */
  maxAddresses: 50_000,

  /** For how long after its TTL an address that was answered for a kept name still counts as that name's. */
  keptGraceMs: 300_000,
  /** A kept name is asked for out of turn, for a connection to an address that was not among its answers, at most so often. */
  refreshMs: 1_000,
  /** A short TTL must not make every pod ask every second, for ever. */
  keptMinMs: 5_000,
  /** The longest wait between two tries while a kept name cannot be resolved. */
  keptRetryMaxMs: 60_000,
  /** Kept names are asked for up to this much late, each pod its own while: a cache before the servers ends a TTL for all of them at once. */
  keptSpreadMs: 1_000,
  /** How often they are looked over. */
  keptTickMs: 500,
  /** Asked for at once. */
  keptAtOnce: 32,
  /** Remembered of one kept name; those whose time ends first are dropped. */
  keptMaxAddresses: 1_000,
} as const;
export type Limits = Readonly<Record<keyof typeof DEFAULTS, number>>;

/** How long a reply may be used. */
export function lifetimeMs(reply: Reply, limits: Limits): number {
  if (reply.addresses.length === 0) return isNone(reply.failure) ? limits.noneMs : limits.failureMs;
  // A TTL with its highest bit set is to be read as zero (RFC 2181 §8).
  const ttlMs = reply.ttlSeconds > 0x7fff_ffff ? 0 : reply.ttlSeconds * 1_000;
  const most = reply.failure ? limits.partialMaxMs : limits.ttlMaxMs;
  return Math.min(Math.max(ttlMs, limits.ttlMinMs), most);
}
