import { canonicalAddress, parseAddress, parseCidr } from "./address.ts";
import { Ranges } from "./ranges.ts";
import type { Cluster } from "./snapshot.ts";
import type { Target } from "./target.ts";

export interface Endpoint {
  /** In its canonical spelling. */
  readonly address: string;
  readonly port: number;
}

/** A Service that leads out of the cluster, as it is dialled on one port. */
export interface LedOut {
  /** `namespace/name` */
  readonly service: string;
  /** None where it has no such port. */
  readonly endpoints: readonly Endpoint[];
}

interface Ports {
  readonly byPort: ReadonlyMap<number, LedOut>;
  readonly nowhere: LedOut;
}

/** Services with endpoints outside, by their cluster IPs. */
export class LeadingOut {
  readonly #services: Ranges<Ports>;
  /** Most clusters have none: then it costs nothing to ask. */
  readonly #isEmpty: boolean;

  constructor(services: Cluster["leadingOut"]) {
    this.#services = new Ranges(
      services.flatMap((service) => {
        const ports = portsOf(service);
        return service.addresses.map((text) => [single(text), ports] as const);
      }),
    );
    this.#isEmpty = this.#services.empty;
  }

  /** By the very address: what stands for it elsewhere (NAT64) is routed out of the cluster. */
  at({ address }: Target, port: number): LedOut | undefined {
    if (this.#isEmpty) return undefined;
    const ports = this.#services.find(address, (_, found) => found);
    return ports && (ports.byPort.get(port) ?? ports.nowhere);
  }
}

function portsOf({ namespace, name, ports }: Cluster["leadingOut"][number]): Ports {
  const service = `${namespace}/${name}`;
  return {
    byPort: new Map(
      ports.map(({ port, endpoints }) => [port, { service, endpoints: endpoints.map(canonical) }]),
    ),
    nowhere: { service, endpoints: [] },
  };
}

function canonical({ address, port }: Endpoint): Endpoint {
  return { address: canonicalAddress(address) ?? address, port };
}

function single(text: string) {
  const address = parseAddress(text);
  const cidr = parseCidr(address ? text : "");
  if (cidr instanceof Error) throw cidr;
  return cidr;
}
