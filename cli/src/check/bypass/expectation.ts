import { type Address, cidrContains, parseAddress, parseCidr } from "@sallyport/core/address";
import type { InitConfig } from "@sallyport/init/contract";

/** Where a packet is to go by the pod's own rules: to the sidecar, nowhere, or straight out, as somebody has said. */
export type Expectation = "sidecar" | "refused" | { readonly opened: string };

type Config = Pick<
  InitConfig,
  | "includeCidrs"
  | "includePorts"
  | "excludeCidrs"
  | "excludePorts"
  | "resolvers"
  | "clusterCidrs"
  | "outsideUdp"
  | "ipv4"
  | "ipv6"
>;

const annotation = (name: string, value: string | number) =>
  ({ opened: `annotation sallyport.dev/${name}: ${value}` }) as const;

/** What init's rules (init/src/nat.ts, init/src/filter.ts) are there to do, said once more and in other words. */
export function expectationOf(
  config: Config,
  protocol: "tcp" | "udp",
  text: string,
  port: number,
): Expectation {
  const to = parseAddress(text);
  if (!to) throw new Error(`${text} is no address`);
  if ((to.family === 4 ? config.ipv4 : config.ipv6) === "reject") return "refused";
  const excluded = rangeOf(config.excludeCidrs, to);
  if (excluded) return annotation("exclude-outbound-cidrs", excluded);
  if (protocol === "tcp" && config.excludePorts.includes(port))
    return annotation("exclude-outbound-ports", port);
  if (port === 53 && rangeOf(config.resolvers, to))
    return { opened: "it is a name server of the pod's" };
  return protocol === "tcp" ? tcp(config, to, port) : udp(config, to);
}

function tcp({ includeCidrs, includePorts }: Config, to: Address, port: number): Expectation {
  if (includeCidrs === undefined && includePorts === undefined) return "sidecar";
  if (rangeOf(includeCidrs ?? [], to) || includePorts?.includes(port)) return "sidecar";
  return {
    opened: [
      ...(includeCidrs ? [`annotation sallyport.dev/include-outbound-cidrs: ${includeCidrs}`] : []),
      ...(includePorts ? [`annotation sallyport.dev/include-outbound-ports: ${includePorts}`] : []),
    ].join(" and "),
  };
}

function udp({ clusterCidrs, outsideUdp }: Config, to: Address): Expectation {
  const inside = rangeOf(clusterCidrs, to);
  if (inside) return { opened: `UDP inside the cluster (${inside})` };
  return outsideUdp === "allow"
    ? { opened: "the installation's outsideUdp: allow, as where it audits" }
    : "refused";
}

/** Of these ranges or addresses the first that holds it. */
function rangeOf(texts: readonly string[], address: Address): string | undefined {
  return texts.find((text) => {
    const cidr = parseCidr(text.includes("/") ? text : `${text}/${text.includes(":") ? 128 : 32}`);
    return !(cidr instanceof Error) && cidrContains(cidr, address);
  });
}
