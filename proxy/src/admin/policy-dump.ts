import type { Basis } from "@sallyport/core/delivery";
import type { PolicySnapshot } from "@sallyport/core/snapshot";

/** `policy` in /config_dump: what is in force, for those who ask from afar (`sallyport get`, `explain`, `check`). */
export interface PolicyDump {
  /** Counts up with each policy applied since the sidecar started. */
  readonly version: number;
  /** Since when: RFC 3339. */
  readonly applied: string;
  /** Absent before the first. */
  readonly snapshot?: PolicySnapshot;
  /** Of a policy that the controllers gave. */
  readonly revision?: string;
  readonly basis?: Basis;
  /** The stream to the controllers; absent where the policy is from a file or the environment. */
  readonly control?: {
    readonly connected: boolean;
    /** When it became so: RFC 3339. */
    readonly since?: string;
    /** Why there is no connection. */
    readonly problem?: string;
  };
}
