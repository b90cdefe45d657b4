import { type Address, type Cidr, parseCidr } from "./address.ts";

/**
 * Where a rule leads only when it says so: a CIDR reaches a special range when it lies wholly inside it, and a name alone
 * never does. `0.0.0.0/0` is the public internet.
 *
 * The IANA special-purpose registries (iana-ipv4-special-registry, iana-ipv6-special-registry: every block that is not
 * globally reachable), multicast (RFC 5771, RFC 4291 §2.7), what the registries have dropped and networks still route
 * inside, and the clouds' metadata services, each of which only its own address as a rule reaches.
 */
export const SPECIAL_RANGES = [
  ["0.0.0.0/8", "this network (RFC 791)"],
  ["10.0.0.0/8", "private (RFC 1918)"],
  ["100.64.0.0/10", "shared by carriers, and pod ranges (RFC 6598)"],
  ["127.0.0.0/8", "loopback (RFC 1122)"],
  ["169.254.0.0/16", "link-local (RFC 3927)"],
  ["172.16.0.0/12", "private (RFC 1918)"],
  ["192.0.0.0/24", "protocol assignments (RFC 6890)"],
  ["192.0.2.0/24", "documentation (RFC 5737)"],
  ["192.88.99.0/24", "6to4 relay, deprecated (RFC 7526)"],
  ["192.168.0.0/16", "private (RFC 1918)"],
  ["198.18.0.0/15", "benchmarking (RFC 2544)"],
  ["198.51.100.0/24", "documentation (RFC 5737)"],
  ["203.0.113.0/24", "documentation (RFC 5737)"],
  ["224.0.0.0/4", "multicast (RFC 5771)"],
  ["240.0.0.0/4", "reserved (RFC 1112)"],
  ["255.255.255.255/32", "broadcast (RFC 919)"],
  ["::/8", "reserved, IPv4-translated (RFC 2765) within it (RFC 4291)"],
  ["::/96", "unspecified, and IPv4-compatible, deprecated (RFC 4291)"],
  ["::1/128", "loopback (RFC 4291)"],
  ["64:ff9b:1::/48", "local translation (RFC 8215)"],
  ["100::/64", "discard (RFC 6666)"],
  ["100:0:0:1::/64", "dummy prefix (RFC 9780)"],
  ["2001::/23", "protocol assignments, Teredo among them (RFC 2928)"],
  ["2001:db8::/32", "documentation (RFC 3849)"],
  ["3fff::/20", "documentation (RFC 9637)"],
  ["5f00::/16", "segment routing (RFC 9602)"],
  ["fc00::/7", "unique local (RFC 4193)"],
  ["fe80::/10", "link-local (RFC 4291)"],
  ["fec0::/10", "site-local, deprecated (RFC 3879)"],
  ["ff00::/8", "multicast (RFC 4291)"],
  ["169.254.169.254/32", "metadata of most clouds"],
  ["169.254.170.2/32", "metadata of ECS tasks"],
  ["169.254.170.23/32", "metadata of EKS pods"],
  ["100.100.100.200/32", "metadata of Alibaba Cloud"],
  ["168.63.129.16/32", "metadata of Azure"],
  ["192.0.0.192/32", "metadata of Oracle Cloud"],
  ["fd00:ec2::254/128", "metadata of AWS"],
  ["fd00:ec2::23/128", "metadata of EKS pods"],
  ["fd20:ce::254/128", "metadata of Google Cloud"],
] as const;

export function specialRanges(): Cidr[] {
  return SPECIAL_RANGES.map(([text]) => {
    const cidr = parseCidr(text);
    if (cidr instanceof Error) throw cidr;
    return cidr;
  });
}

/**
 * The IPv4 address that an IPv6 one stands for: NAT64 (64:ff9b::/96, RFC 6052 §2.1) and 6to4 (2002::/16, RFC 3056 §2); an
 * IPv4-mapped one is unmapped already when it is parsed. Any other address is given back as it is.
 */
export function unwrap(address: Address): Address {
  if (address.family === 4) return address;
  const { value } = address;
  if (value >> 32n === NAT64) return { family: 4, value: value & 0xffff_ffffn };
  if (value >> 112n === 0x2002n) return { family: 4, value: (value >> 80n) & 0xffff_ffffn };
  return address;
}

const NAT64 = 0x64ff9b_0000_0000_0000_0000n;
