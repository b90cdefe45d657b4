import type { Seen, Verdict } from "@sallyport/core/decision";
import type { Reason } from "@sallyport/core/reasons";
import type { Ending, Side } from "@sallyport/core/record";
import type { RequestHead } from "./message/message.ts";

/** One request as it is recorded, complete. */
export interface Told {
  readonly number: number;
  readonly startedMs: number;
  readonly request?: RequestHead | undefined;
  readonly seen?: Seen | undefined;
  readonly verdict?: Verdict | undefined;
  /** Where it is another than the verdict's. */
  readonly reason?: Reason | undefined;
  readonly status?: number | undefined;
  readonly sent: number;
  readonly received: number;
  readonly dialled?: string | undefined;
  readonly wasRepeated?: boolean;
  readonly connectMs?: number | undefined;
  readonly by: Side;
  readonly how: Ending;
  readonly error?: string | undefined;
}
