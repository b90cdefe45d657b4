import type { InitConfig } from "./contract.ts";
import { cidrsOf, FAMILIES, toRange } from "./family.ts";
import { dnsRules, excludedRules, match, ownPackets, TCP, UDP } from "./match.ts";
import { includedTcp, selects } from "./nat.ts";
import type { Family, OwnChain, Rule } from "./ruleset.ts";

/**
 * Refuses what would walk around the sidecar. It sees packets after nat has redirected them, but on the interface that
 * they first had: a redirected packet is known by its destination.
 */
export function filterChain(config: InitConfig, family: Family): OwnChain {
  const open = family === 4 ? config.ipv4 : config.ipv6;
  return {
    jump: "",
    rules: [
      ...alwaysOpen(config, family),
      ...(open === "redirect" ? openedByConfig(config, family) : []),
      // Not REJECT: a reset would end the connection that a late or doubtful packet belongs to. nat never sees such a
      // packet, so that of a redirected connection it would leave for the address that the app dialled.
      {
        match: "-m conntrack --ctstate INVALID",
        target: "DROP",
        why: "of no connection that is known",
      },
      ...(open === "redirect" && selects(config) ? partOfTcp(config, family) : []),
      { match: TCP, target: "REJECT --reject-with tcp-reset", why: "TCP that missed the sidecar" },
      {
        match: "",
        target: `REJECT --reject-with ${FAMILIES[family].unreachable}`,
        why: "whatever else would leave: QUIC falls back to TCP at once",
      },
    ],
  };
}

function alwaysOpen(config: InitConfig, family: Family): Rule[] {
  const { loopback, icmp } = FAMILIES[family];
  return [
    { match: "-o lo", target: "RETURN", why: "to the pod itself" },
    { match: `-d ${loopback}`, target: "RETURN", why: "to the pod itself; redirected" },
    ...(family === 6 ? neighbourDiscovery() : []),
    ownPackets(config),
    // A closed socket still sends its tail, and the kernel its resets and last ACKs: nobody's packets, of a connection
    // that was allowed. A lone SYN is not among them: conntrack lets one pass as ESTABLISHED where an old connection
    // had the same ports (nf_conntrack_proto_tcp.c, sIG), and nat would not be asked.
    {
      match: "-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate ESTABLISHED",
      target: "RETURN",
      why: "of an open connection, but its first packet",
    },
    {
      match: "! -p tcp -m conntrack --ctstate ESTABLISHED --ctdir REPLY",
      target: "RETURN",
      why: "an answer to what came in",
    },
    // Of ICMP alone: for other protocols it is what a helper (FTP) has read out of the app's own words.
    {
      match: `-p ${icmp} -m conntrack --ctstate RELATED`,
      target: "RETURN",
      why: "an error about a known connection: path MTU, port unreachable",
    },
  ];
}

/** What an IPv6 host says to stay on its link (RFC 4861 §4, RFC 2710 §3, RFC 3810 §5); the router's part is not here. */
function neighbourDiscovery(): Rule[] {
  return [
    [133, "router solicitation"],
    [135, "neighbour solicitation"],
    [136, "neighbour advertisement"],
    [131, "multicast listener report"],
    [132, "multicast listener done"],
    [143, "multicast listener report, version 2"],
  ].map(([type, why]) => ({
    match: `-p ipv6-icmp -m icmp6 --icmpv6-type ${type}`,
    target: "RETURN",
    why: String(why),
  }));
}

function openedByConfig(config: InitConfig, family: Family): Rule[] {
  return [
    ...dnsRules(config, family, "udp"),
    ...dnsRules(config, family, "tcp"),
    ...excludedRules(config, family),
    ...cidrsOf(family, config.clusterCidrs).map(
      (cidr): Rule => ({
        match: match(toRange(cidr), UDP),
        target: "RETURN",
        why: "UDP inside the cluster",
      }),
    ),
    ...(config.outsideUdp === "allow"
      ? [{ match: UDP, target: "RETURN", why: "UDP may leave" }]
      : []),
  ];
}

/** What is included is refused here, for it should have been redirected; the rest of TCP leaves directly. */
function partOfTcp(config: InitConfig, family: Family): Rule[] {
  return [
    ...includedTcp(config, family).map(
      (rule): Rule => ({
        match: rule.match,
        target: "REJECT --reject-with tcp-reset",
        why: "included, but missed the sidecar",
      }),
    ),
    { match: TCP, target: "RETURN", why: "TCP that is not included" },
  ];
}
