import type { InitConfig } from "./contract.ts";
import { cidrsOf, hostsOf, toRange } from "./family.ts";
import type { Family, Rule } from "./ruleset.ts";

/** Parts of a match that both tables speak, in the order in which iptables-save prints them. */
export function match(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" ");
}

export const TCP = "-p tcp";
export const UDP = "-p udp";

export function tcpPort(port: number): string {
  return `-p tcp -m tcp --dport ${port}`;
}

/**
 * The sidecar's own packets. Both ids in one rule: an app that shares only one of them is no sidecar. A socket that
 * its process has closed belongs to nobody (xt_owner.c finds no file), and this does not match.
 */
export function ownPackets(config: InitConfig): Rule {
  return {
    match: `-m owner --uid-owner ${config.proxyUid} --gid-owner ${config.proxyGid}`,
    target: "RETURN",
    why: "the sidecar's own",
  };
}

/** 53 over this protocol to each resolver; both are needed (RFC 7766 §5). */
export function dnsRules(config: InitConfig, family: Family, protocol: "tcp" | "udp"): Rule[] {
  return hostsOf(family, config.resolvers).map((resolver) => ({
    match: match(toRange(resolver), `-p ${protocol} -m ${protocol} --dport 53`),
    target: "RETURN",
    why: "a DNS server of the pod",
  }));
}

/** What leaves directly because the config says so; it wins over what is included. */
export function excludedRules(config: InitConfig, family: Family): Rule[] {
  return [
    ...cidrsOf(family, config.excludeCidrs).map((cidr) => ({
      match: toRange(cidr),
      target: "RETURN",
      why: "an excluded range",
    })),
    ...[...new Set(config.excludePorts)].map((port) => ({
      match: tcpPort(port),
      target: "RETURN",
      why: "an excluded port",
    })),
  ];
}
