/** The user and group as which a pod's sidecar runs, and whose packets iptables spares. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** What only a shell has: chance and a secret. */
export interface DrawIdentity {
  /** A whole number from 0 up to but not including `below`, that nobody can foresee. */
  readonly random: (below: number) => number;
  /**
   * Seals the identities that were drawn, so that one found in a pod's status is known for our own. Offline there is no
   * secret: what the file says is kept, and nothing is sealed.
   */
  readonly sealKey: Uint8Array | "believe-the-file";
}
