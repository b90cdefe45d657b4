import type { Seen, Verdict } from "@sallyport/core/decision";
import type { HeadLimits } from "./message/head-end.ts";
import type { Explaining } from "./own-ending.ts";
import type { Patiences } from "./patience.ts";
import type { Told } from "./told.ts";
import type { Dial, Upstreams } from "./upstreams.ts";

export interface HttpLimits {
  readonly head: HeadLimits;
  readonly patience: Patiences;
  /** A connection older than this ends with its next response; 0: none does. */
  readonly connectionMs: number;
}

/** What the connection needs from outside. */
export interface HttpMeans extends Explaining {
  /** Which the app dialled. */
  readonly port: number;
  readonly limits: HttpLimits;
  readonly upstreams: Upstreams;
  readonly dial: Dial;
  now(): number;
  /** Another value when another policy is in force. */
  policy(): unknown;
  /** Undefined where the connection is gone. */
  judge(seen: Seen): Verdict | Promise<Verdict | undefined>;
  record(told: Told): void;
  /** An error of our own code: the connection has been cut for it. */
  mistaken(error: unknown): void;
  closed(): void;
}
