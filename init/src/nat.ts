import type { InitConfig } from "./contract.ts";
import { cidrsOf, FAMILIES, toRange } from "./family.ts";
import { dnsRules, excludedRules, match, ownPackets, TCP, tcpPort } from "./match.ts";
import type { Family, OwnChain, Rule } from "./ruleset.ts";

/**
 * Sends TCP to the sidecar. Asked once a connection, for its first packet; what REDIRECT answers holds for all of it,
 * and is what SO_ORIGINAL_DST gives back (nf_nat_redirect.c: from OUTPUT it leads to 127.0.0.1 or ::1).
 */
export function natChain(config: InitConfig, family: Family): OwnChain {
  const redirect = `REDIRECT --to-ports ${config.proxyPort}`;
  return {
    jump: TCP,
    rules: [
      { match: "-o lo", target: "RETURN", why: "to the pod itself" },
      { match: `-d ${FAMILIES[family].loopback}`, target: "RETURN", why: "to the pod itself" },
      ownPackets(config),
      ...dnsRules(config, family, "tcp"),
      ...excludedRules(config, family),
      ...includedTcp(config, family).map((rule): Rule => ({ ...rule, target: redirect })),
    ],
  };
}

/** The TCP that is the sidecar's, once what is excluded has been taken out. */
export function includedTcp(config: InitConfig, family: Family): Omit<Rule, "target">[] {
  if (!selects(config)) return [{ match: TCP, why: "all other TCP is the sidecar's" }];
  return [
    ...cidrsOf(family, config.includeCidrs ?? []).map((cidr) => ({
      match: match(toRange(cidr), TCP),
      why: "an included range is the sidecar's",
    })),
    ...[...new Set(config.includePorts)].map((port) => ({
      match: tcpPort(port),
      why: "an included port is the sidecar's",
    })),
  ];
}

/** Whether only a part of TCP is the sidecar's; an empty list selects, too, and selects nothing. */
export function selects(config: InitConfig): boolean {
  return config.includeCidrs !== undefined || config.includePorts !== undefined;
}
