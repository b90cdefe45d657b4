import { networkInterfaces } from "node:os";

/**
 * The order in which addresses are best dialled: the families take turns, so that a dead one costs one attempt
 * (RFC 8305 §4, with a First Address Family Count of 1). Within a family the servers' own order stays.
 */
export function interleave(
  ipv4: readonly string[],
  ipv6: readonly string[],
  ipv6First: boolean,
): string[] {
  const [first, second] = ipv6First ? [ipv6, ipv4] : [ipv4, ipv6];
  const turns = Math.max(first.length, second.length);
  const ordered: string[] = [];
  for (let i = 0; i < turns; i++) {
    if (first[i] !== undefined) ordered.push(first[i] as string);
    if (second[i] !== undefined) ordered.push(second[i] as string);
  }
  return ordered;
}

/**
 * IPv6 goes first where this pod has a global IPv6 address (2000::/3). From a unique local one the public internet is
 * not reached without translation, and RFC 6724 §5 (rule 5, labels) too puts IPv4 before it.
 */
export function hasGlobalIPv6(): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ family, address }) => family === "IPv6" && /^[23]/.test(address)),
  );
}
