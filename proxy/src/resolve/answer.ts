/** Why a name has no addresses, for people. */
export const FAILURES = {
  not_found: "there is no such name",
  no_address: "the name has no address",
  timeout: "no resolver answered in time",
  unreachable: "no resolver could be reached",
  server_failure: "the resolvers could not find out",
  server_refused: "the resolvers refuse to say",
  unreadable: "the resolver's answer could not be read",
  no_servers: "no resolver is given",
  closed: "the sidecar is ending",
} as const;
export type Failure = keyof typeof FAILURES;

export interface Answer {
  /** In their canonical spelling, in the order in which they are best dialled; empty where `error` says why. */
  readonly addresses: readonly string[];
  /** With addresses: they are a kept name's last ones, and this is why there are none newer. */
  readonly error?: Failure;
}

/** What the servers have said of a name: both families, as one. */
export interface Reply {
  readonly addresses: readonly string[];
  /** Of the shortest-lived record; 0 without one. */
  readonly ttlSeconds: number;
  /** Why there are no addresses; or, with addresses, why one of the families is not among them. */
  readonly failure?: Failure | undefined;
}

/** The servers know, and there is none: an answer too. */
export function isNone(failure: Failure | undefined): boolean {
  return failure === "not_found" || failure === "no_address";
}
