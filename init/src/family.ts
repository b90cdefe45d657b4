import { formatAddress, formatCidr, parseAddress, parseCidr } from "@sallyport/core/address";
import type { Family } from "./ruleset.ts";

export const FAMILIES = {
  4: {
    name: "IPv4",
    command: "iptables",
    loopback: "127.0.0.0/8",
    bits: 32,
    icmp: "icmp",
    unreachable: "icmp-port-unreachable",
  },
  6: {
    name: "IPv6",
    command: "ip6tables",
    loopback: "::1/128",
    bits: 128,
    icmp: "ipv6-icmp",
    unreachable: "icmp6-port-unreachable",
  },
} as const;

/** The ranges of one family, each spelled in its one way and named once, in the order given. */
export function cidrsOf(family: Family, texts: readonly string[]): string[] {
  const own = new Set<string>();
  for (const text of texts) {
    const cidr = parseCidr(text);
    if (cidr instanceof Error) throw cidr;
    if (cidr.family === family) own.add(formatCidr(cidr));
  }
  return [...own];
}

/** The addresses of one family, as ranges of one. */
export function hostsOf(family: Family, texts: readonly string[]): string[] {
  const own = new Set<string>();
  for (const text of texts) {
    const address = parseAddress(text);
    if (!address) throw new Error(`"${text}" is not an address`);
    if (address.family === family) own.add(`${formatAddress(address)}/${FAMILIES[family].bits}`);
  }
  return [...own];
}

/** `-d RANGE`, or nothing for the range of every address, which iptables-save leaves unsaid. */
export function toRange(cidr: string): string {
  return cidr.endsWith("/0") ? "" : `-d ${cidr}`;
}
