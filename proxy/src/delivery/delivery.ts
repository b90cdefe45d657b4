import type { SidecarLine } from "@sallyport/core/delivery";
import { SNAPSHOT_SCHEMA } from "@sallyport/core/snapshot";
import { VERSION } from "@sallyport/core/version";
import type { ProxyConfig } from "../contract.ts";
import type { Log } from "../log.ts";
import type { FindAddresses } from "./addresses.ts";
import { waitMs } from "./back-off.ts";
import { DeliveryFailure } from "./failure.ts";
import { STREAM_LIMITS, type StreamLimits } from "./limits.ts";
import { type OpenedStream, openStream } from "./open-stream.ts";
import { PolicyStream, type StreamEnd, type StreamUser } from "./policy-stream.ts";
import type { Reports } from "./reports.ts";
import type { Have } from "./take-snapshot.ts";
import { readToken } from "./token-file.ts";

export interface DeliveryOptions {
  readonly control: NonNullable<ProxyConfig["control"]>;
  readonly addresses: FindAddresses;
  readonly reports: Reports;
  /** What is in force; undefined before the first. */
  have(): Have | undefined;
  readonly user: Pick<StreamUser, "offered" | "confirmed">;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  now(): number;
  readonly limits?: Partial<StreamLimits>;
  readonly random?: () => number;
}

/** The stream as people see it. */
export interface DeliveryState {
  readonly host: string;
  readonly connected: boolean;
  /** When it became so: milliseconds since the epoch. */
  readonly sinceMs: number;
  /** Why there is no stream, where there was a failure. */
  readonly problem?: string;
}

export interface DeliveryFigures {
  readonly connected: boolean;
  /** Streams that were opened. */
  readonly connects: number;
  /** Attempts and streams that failed; an end in order is none. */
  readonly failures: number;
  /** When a controller was heard last; before that, when this began. Milliseconds since the epoch. */
  readonly heardMs: number;
}

/** Of the addresses that a name has, as many are tried in one attempt. */
const MAX_ADDRESSES = 4;
/** For a last report. */
const CLOSE_MS = 1_000;

/** Keeps a stream to some controller open, for as long as the sidecar lives. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #limits: StreamLimits;
  readonly #random: () => number;
  readonly #closed = new AbortController();
  #stream: PolicyStream | undefined;
  #connects = 0;
  #failures = 0;
  #inARow = 0;
  #sinceMs: number;
  #heardMs: number;
  #problem: string | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#limits = { ...STREAM_LIMITS, ...options.limits };
    this.#random = options.random ?? Math.random;
    this.#sinceMs = options.now();
    this.#heardMs = this.#sinceMs;
  }

  start(): void {
    void this.#run();
  }

  get state(): DeliveryState {
    const { host } = this.#options.control;
    const problem = this.#problem;
    return {
      ...{ host, connected: this.#stream !== undefined, sinceMs: this.#sinceMs },
      ...(problem !== undefined && { problem }),
    };
  }

  get figures(): DeliveryFigures {
    return {
      connected: this.#stream !== undefined,
      connects: this.#connects,
      failures: this.#failures,
      heardMs: this.#heardMs,
    };
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#stream?.close(CLOSE_MS);
  }

  async #run(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      let isLost = false;
      let saidMs = 0;
      try {
        isLost = await this.#once();
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof DeliveryFailure)) this.#options.log("error", mistake(error));
        this.#failed(String((error as Error).message));
        saidMs = error instanceof DeliveryFailure ? (error.retryAfterMs ?? 0) : 0;
      }
      const hasPolicy = this.#options.have() !== undefined;
      const tried = { failures: this.#inARow, hasPolicy, isLost, saidMs };
      await pause(waitMs(tried, this.#random), signal);
    }
  }

  /** One stream, from finding the controllers to its end: whether it was good, and its end not announced. */
  async #once(): Promise<boolean> {
    const token = readToken(this.#options.control.tokenFile);
    const opened = await this.#open(token);
    if (this.#closed.signal.aborted) {
      opened.socket.destroy();
      return false;
    }
    const openedMs = performance.now();
    this.#connected(opened);
    const user = {
      ...this.#options.user,
      heard: () => {
        this.#heardMs = this.#options.now();
      },
      token: () => this.#token(),
    };
    this.#stream = new PolicyStream(
      opened,
      token,
      this.#hello(),
      user,
      this.#options.reports,
      this.#limits,
    );
    const end = await this.#stream.ended;
    this.#stream = undefined;
    this.#sinceMs = this.#options.now();
    const wasGood = performance.now() - openedMs >= this.#limits.goodMs;
    this.#inARow = wasGood ? 0 : this.#inARow + 1;
    this.#told(end, wasGood);
    return wasGood && end.why === undefined;
  }

  #told({ failure, why }: StreamEnd, wasGood: boolean): void {
    if (this.#closed.signal.aborted) return;
    if (failure !== undefined) {
      this.#failed(failure, 0);
      return;
    }
    this.#problem = why;
    const said = why === undefined ? "" : `: ${why}`;
    this.#options.log(wasGood ? "info" : "debug", `the controller ends the stream${said}`);
  }

  async #open(token: string): Promise<OpenedStream> {
    const { control, addresses } = this.#options;
    const found = shuffled(await addresses(control.host), this.#random).slice(0, MAX_ADDRESSES);
    let last: unknown = new DeliveryFailure(`${control.host} has no address`);
    for (const address of found)
      try {
        return await openStream(address, control, token, this.#limits, this.#closed.signal);
      } catch (error) {
        // Whoever says when to come again speaks for all of them.
        if (!(error instanceof DeliveryFailure) || error.retryAfterMs !== undefined) throw error;
        last = error;
      }
    throw last;
  }

  #hello(): Extract<SidecarLine, { type: "hello" }> {
    const have = this.#options.have();
    return {
      ...{ type: "hello", version: VERSION, schemas: [SNAPSHOT_SCHEMA] },
      ...(have && { have: { revision: have.revision, basis: have.basis } }),
    };
  }

  #token(): string | undefined {
    try {
      return readToken(this.#options.control.tokenFile);
    } catch {
      return undefined;
    }
  }

  #connected({ socket }: OpenedStream): void {
    this.#connects += 1;
    this.#problem = undefined;
    this.#sinceMs = this.#options.now();
    this.#options.log("info", "the stream of policy is open", {
      controller: `${this.#options.control.host} (${socket.remoteAddress})`,
    });
  }

  /** What is wrong is told once, and again when it has become something else. */
  #failed(problem: string, more = 1): void {
    this.#failures += 1;
    this.#inARow += more;
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#options.log("warn", `no stream of policy: ${problem}`);
  }
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((item) => [random(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}

function mistake(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `a mistake of the sidecar's own has cost a stream of policy: ${text}`;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}
