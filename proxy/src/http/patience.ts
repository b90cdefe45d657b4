/** What an app's connection waits for. */
export type Waits = "head" | "idle" | "exchange" | "tunnel" | "linger";

/** For how long, in ms; 0: for ever. */
export type Patiences = Readonly<Record<Waits, number>>;

/** A connection's one deadline, looked at now and then: a timer for each request would cost more than the request. */
export class Patience {
  readonly #of: Patiences;
  #waits: Waits;
  #sinceMs: number;
  #moved = 0;

  constructor(of: Patiences, waits: Waits, nowMs: number) {
    this.#of = of;
    this.#waits = waits;
    this.#sinceMs = nowMs;
  }

  get waits(): Waits {
    return this.#waits;
  }

  wait(waits: Waits, nowMs: number): void {
    this.#waits = waits;
    this.#sinceMs = nowMs;
  }

  /** What has been waited for too long. `moved`: bytes both ways so far; while some do, an exchange is not idle. */
  expired(nowMs: number, moved: number): Waits | undefined {
    const isMoving = this.#waits === "exchange" || this.#waits === "tunnel";
    if (isMoving && moved !== this.#moved) this.#sinceMs = nowMs;
    this.#moved = moved;
    const ms = this.#of[this.#waits];
    return ms > 0 && nowMs - this.#sinceMs >= ms ? this.#waits : undefined;
  }
}
