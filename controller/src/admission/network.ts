import type { Demands } from "./demands.ts";
import type { InjectionOptions } from "./options.ts";

/** What the rules for a pod's packets need of its cluster, where the installation does not say it. */
export interface PodNetwork {
  /** Addresses of the DNS servers that pods are given. */
  readonly resolvers: readonly string[];
  /** Of pods and Services. */
  readonly ranges: readonly string[];
}

/** The installation's options for one pod: in its cluster, and under the boundaries over its namespace. */
export function optionsFor(
  options: InjectionOptions,
  demands: Demands | undefined,
  network: PodNetwork | undefined,
): InjectionOptions {
  const { resolvers, clusterCidrs } = options;
  const { mode = options.policy.mode } = demands ?? {};
  return {
    ...options,
    ...(network && {
      resolvers: resolvers.length > 0 ? resolvers : [...network.resolvers],
      clusterCidrs: [...new Set([...clusterCidrs, ...network.ranges])],
    }),
    // What audit mode would only record, the filter table must let leave.
    outsideUdp: options.outsideUdp ?? (mode === "audit" ? "allow" : "reject"),
  };
}
