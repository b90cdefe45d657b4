import type { PodEntry, ServiceEntry, SliceEntry } from "../../src/rules/entries.ts";

/** Entries in the namespace `shop`, as plainly as can be said. */

export function pod(
  name: string,
  addresses: readonly string[],
  more: Partial<PodEntry> = {},
): PodEntry {
  return {
    ...{ namespace: "shop", name, uid: name, labels: {}, isInjected: true, node: undefined },
    ...{ addresses, hasEnded: false, ...more },
  };
}

export function service(
  name: string,
  clusterIps: readonly string[],
  more: Partial<ServiceEntry> = {},
): ServiceEntry {
  return { namespace: "shop", name, clusterIps, ports: [], externalName: undefined, ...more };
}

/** `1.2.3.4` is ready, `1.2.3.4 not` is not. */
export function slice(
  of: string,
  endpoints: readonly string[],
  ports: SliceEntry["ports"],
  more: Partial<SliceEntry> = {},
): SliceEntry {
  return {
    ...{ namespace: "shop", name: `${of}-abc`, service: of, ports },
    endpoints: endpoints.map((text) => {
      const [address = "", not] = text.split(" ");
      return { address, isReady: not === undefined };
    }),
    ...more,
  };
}
