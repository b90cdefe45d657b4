/** Between the process of the sidecars and that of the controller. */
export interface Asked {
  readonly ask: "change" | "collect" | "figures";
}

export interface Figures {
  readonly say: "figures";
  readonly rss: number;
  readonly heapUsed: number;
  readonly cpuMs: number;
  readonly streams: number;
  /** Those that have applied the newest. */
  readonly applied: number;
  readonly refused: number;
  /** From the change to each acknowledgement, in milliseconds. */
  readonly latencies: readonly number[];
}

export type Said =
  | { readonly say: "listening"; readonly port: number; readonly ca: string }
  | Figures;
