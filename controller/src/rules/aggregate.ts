import { type Cidr, formatCidr, parseCidr } from "@sallyport/core/address";

/**
 * The same addresses in as few ranges as can say them: a thousand nodes have a /24 each, which side by side are a few
 * ranges. What is no range is left out.
 */
export function aggregate(texts: Iterable<string>): string[] {
  const cidrs = [...new Set(texts)]
    .map(parseCidr)
    .filter((cidr): cidr is Cidr => !(cidr instanceof Error))
    .sort(inOrder);
  const kept: Cidr[] = [];
  for (const cidr of cidrs) {
    const last = kept.at(-1);
    if (last && holds(last, cidr)) continue;
    kept.push(cidr);
    for (let both = joined(kept); both; both = joined(kept)) kept.splice(-2, 2, both);
  }
  return kept.map(formatCidr);
}

/** By family and first address, the wider first. */
function inOrder(a: Cidr, b: Cidr): number {
  if (a.family !== b.family) return a.family - b.family;
  if (a.base !== b.base) return a.base < b.base ? -1 : 1;
  return a.prefix - b.prefix;
}

function holds(wide: Cidr, narrow: Cidr): boolean {
  if (wide.family !== narrow.family || wide.prefix > narrow.prefix) return false;
  const shift = BigInt((wide.family === 4 ? 32 : 128) - wide.prefix);
  return wide.base >> shift === narrow.base >> shift;
}

/** The last two as one, where they are the two halves of it. */
function joined(kept: readonly Cidr[]): Cidr | undefined {
  const [a, b] = kept.slice(-2);
  if (!a || !b || a.prefix !== b.prefix || a.prefix === 0) return undefined;
  const both: Cidr = { ...a, prefix: a.prefix - 1 };
  const bits = a.family === 4 ? 32 : 128;
  const isLower = (a.base >> BigInt(bits - a.prefix)) % 2n === 0n;
  return isLower && holds(both, b) && a.base !== b.base ? both : undefined;
}
