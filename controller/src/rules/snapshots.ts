import type { Basis } from "@sallyport/core/delivery";

/** An injected pod, as its token names it. */
export interface PodRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** A rule or boundary that has gone into a snapshot, as it was then. */
export interface Origin {
  readonly kind: "EgressRule" | "EgressBoundary";
  /** Absent of a boundary. */
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
}

/**
 * One pod's policy, ready to be sent. Pods for which everything is the same share text and origins; compare by `revision`,
 * for each answer has the basis as it is by then.
 */
export interface Compiled {
  /** Of the content: the same content has the same revision, whoever compiled it. */
  readonly revision: string;
  /** Of `pod` and `namespace` the versions of those two objects, of the rest those of the collections. */
  readonly basis: Basis;
  /** The PolicySnapshot as JSON, without a line break. */
  readonly json: string;
  readonly origins: readonly Origin[];
}

/** The policy of every pod, as this controller knows it from its watches. */
export interface Snapshots {
  /** What is not known yet; undefined once everything has been listed. */
  readonly notReady: string | undefined;
  /**
   * Undefined where there is no such pod (a pod's first connection may come before the watch's news: `catchUp` first).
   * `compiled` is undefined where nothing may be sent now, and the sidecar keeps what it has: then `why` says so, and
   * `closed`, where it is there, is for a sidecar that has nothing, or nothing but what was closed before.
   */
  of(
    pod: PodRef,
  ):
    | { readonly compiled?: Compiled; readonly why?: string; readonly closed?: Compiled }
    | undefined;
  /**
   * Calls back, soon after, when revision, origins or `why` of `of(pod)` have become others. Gives the function that ends
   * it.
   */
  subscribe(pod: PodRef, onChange: () => void): () => void;
  /**
   * Asks the API server for whatever is known here only up to before `basis`, and for the pod if it is not known; resolves
   * when this controller knows at least as much. `rewound`: the API server itself has gone back. Rejects where it cannot
   * be asked.
   */
  catchUp(pod: PodRef, basis: Basis | undefined): Promise<{ readonly rewound: boolean }>;
}
