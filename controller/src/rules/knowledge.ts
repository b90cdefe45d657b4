import type { EgressBoundary, EgressRule } from "@sallyport/core/rules";
import type { EgressBoundaryStatus, EgressRuleStatus } from "@sallyport/core/status";
import type { PodNetwork } from "../admission/network.ts";
import type { Origin, PodRef, Snapshots } from "./snapshots.ts";

/** A rule or boundary as the API server has it, and what of it counts. */
export interface Known<T, S> extends Origin {
  /** What counts; undefined where nothing does. */
  readonly object: T | undefined;
  /** Why the newest cannot be used, with the paths; then `object` is the last good one, if one was seen. */
  readonly problem?: string;
  /** As it was read; a status that cannot be understood is none. */
  readonly status: S | undefined;
}
export type KnownRule = Known<EgressRule, EgressRuleStatus>;
export type KnownBoundary = Known<EgressBoundary, EgressBoundaryStatus>;

/** An injected pod that has not ended. */
export interface KnownPod extends PodRef {
  readonly labels: Readonly<Record<string, string>>;
  readonly node: string | undefined;
}

/** Everything that this controller knows from its watches, for those who compile, judge admissions and write status. */
export interface Knowledge extends Snapshots {
  rules(): Iterable<KnownRule>;
  boundaries(): Iterable<KnownBoundary>;
  pods(): Iterable<KnownPod>;
  namespaces(): Iterable<string>;
  namespaceLabels(namespace: string): Readonly<Record<string, string>> | undefined;
  /** Why it cannot be told which boundaries are over which namespace; undefined once it can, and without the kind. */
  readonly boundariesNotReady: string | undefined;
  /**
   * Undefined until boundaries and the namespace are known; none where the kind is not installed, and over a namespace that
   * is not known yet where no boundary asks anything of pods. Of unusable ones, those that might be over it count, too.
   */
  boundariesOver(namespace: string): readonly KnownBoundary[] | undefined;
  /** What the rules for a pod's packets need of the cluster; undefined until that is known. */
  network(): PodNetwork | undefined;
  /** What the watches found wrong with what the installation was told of the cluster: for conditions, logs and `check`. */
  misses(): readonly string[];
  /** Calls back, soon after, when any of it has changed. Gives the function that ends it. */
  watch(onChange: () => void): () => void;
}
