import type { ReportRow } from "@sallyport/core/delivery";
import type { Compiled, PodRef } from "../rules/snapshots.ts";

/** A sidecar that is connected to this controller. */
export interface ConnectedSidecar {
  readonly pod: PodRef;
  readonly version: string;
  readonly connectedMs: number;
  /** What it was sent last. */
  readonly sent: Compiled | undefined;
  /** What it has said to have applied; `sent` may be newer. */
  readonly applied: Compiled | undefined;
  /** Why it could not apply what it was sent. */
  readonly problem: string | undefined;
}

export interface FleetListener {
  /** One came, went, applied or rejected. */
  changed?(pod: PodRef): void;
  reported?(
    pod: PodRef,
    rows: readonly ReportRow[],
    others: { readonly allowed: number; readonly refused: number },
  ): void;
}

/** The sidecars of this controller's streams. Other replicas have others. */
export interface Fleet {
  connected(): Iterable<ConnectedSidecar>;
  /** Gives the function that ends it. */
  listen(listener: FleetListener): () => void;
}
