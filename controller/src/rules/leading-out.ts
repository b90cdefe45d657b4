import { canonicalAddress } from "@sallyport/core/address";
import type { Cluster } from "@sallyport/core/snapshot";
import { MOST_OF_A_NAMESPACE } from "./allotment.ts";
import type { ServiceEntry, SliceEntry } from "./entries.ts";
import type { UnheardPod } from "./inquiry.ts";

type LeadingOut = Cluster["leadingOut"][number];
type Endpoint = LeadingOut["ports"][number]["endpoints"][number];

export interface LeadsOut {
  readonly services: LeadingOut[];
  /** Of their endpoints outside, those that say to be pods. */
  readonly unheard: UnheardPod[];
  /** Of so many endpoints that none are given. */
  readonly tooLarge: LeadingOut[];
}

/**
 * Services with a cluster IP and any endpoint, ready or not, that is not inside: by all of their endpoints, as kube-proxy
 * would choose among them. Of one whose cluster IP is None an app learns the endpoints themselves.
 */
export function leadingOut(
  services: Iterable<ServiceEntry>,
  slices: Iterable<SliceEntry>,
  isInside: (address: string) => boolean,
): LeadsOut {
  const slicesOf = Map.groupBy(
    [...slices].filter(({ service }) => service !== undefined),
    ({ namespace, service }) => `${namespace}/${service}`,
  );
  const found: LeadingOut[] = [];
  const unheard: UnheardPod[] = [];
  const tooLarge: LeadingOut[] = [];
  for (const { namespace, name, clusterIps, ports } of services) {
    const own = slicesOf.get(`${namespace}/${name}`) ?? [];
    // The API server's own may be anywhere, and is told by its endpoints (cluster-facts.ts).
    if (clusterIps.length === 0 || (namespace === "default" && name === "kubernetes")) continue;
    const outside = own
      .flatMap(({ endpoints }) => endpoints)
      .filter(({ address }) => !isInside(address));
    if (outside.length === 0) continue;
    for (const { address, pod } of outside)
      if (pod !== undefined) unheard.push({ namespace, name: pod, address });
    const byNumber = new Map(ports.map((each) => [each.port, each]));
    const service = {
      ...{ namespace, name },
      addresses: clusterIps.map((ip) => canonicalAddress(ip)).filter((ip) => ip !== undefined),
    };
    if (isTooLarge(byNumber.size, own)) tooLarge.push({ ...service, ports: [] });
    else
      found.push({
        ...service,
        ports: [...byNumber.values()]
          .sort((a, b) => a.port - b.port)
          .map(({ port, name: portName }) => ({
            port,
            endpoints: endpointsOf(own, portName, port),
          })),
      });
  }
  return { services: found, unheard, tooLarge };
}

/** Two objects of ordinary size can say millions of endpoints: then it leads nowhere. */
function isTooLarge(ports: number, slices: readonly SliceEntry[]): boolean {
  const endpoints = slices.reduce((sum, each) => sum + each.endpoints.length, 0);
  return ports * endpoints > MOST_OF_A_NAMESPACE.endpoints * 10;
}

/** The ready ones where there are any, as kube-proxy has them, in one order on every controller. */
function endpointsOf(slices: readonly SliceEntry[], portName: string, port: number): Endpoint[] {
  const all = slices.flatMap(({ ports, endpoints }) =>
    ports
      .filter(({ name }) => name === portName)
      .flatMap((to) =>
        endpoints.flatMap(({ address, isReady }) => {
          const canonical = canonicalAddress(address);
          // A port that is not said is every port.
          return canonical === undefined
            ? []
            : [{ isReady, address: canonical, port: to.port ?? port }];
        }),
      ),
  );
  const ready = all.filter(({ isReady }) => isReady);
  const texts = new Map(
    (ready.length > 0 ? ready : all).map(({ address, port: to }) => [
      `${address} ${to}`,
      { address, port: to },
    ]),
  );
  return [...texts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
}
