import { type Cidr, cidrContains, formatCidr, parseCidr } from "@sallyport/core/address";
import type { Destination } from "@sallyport/core/rules";
import { SPECIAL_RANGES } from "@sallyport/core/special";

const NAMED = 2;

const SPECIAL = SPECIAL_RANGES.flatMap(([text, what]) => {
  const cidr = parseCidr(text);
  return cidr instanceof Error ? [] : [{ ...cidr, what }];
});

/**
 * CIDRs that hold a special range and do not reach it, for they lie only partly in it. That everything (0.0.0.0/0, ::/0) means
 * the public internet is how it is written, and nobody is told.
 */
export function unreachedRanges(path: string, list: readonly Destination[] = []): string[] {
  return list.flatMap(({ cidrs = [] }, entry) =>
    cidrs.flatMap((text, i) => {
      const cidr = parseCidr(text);
      if (cidr instanceof Error || cidr.prefix === 0) return [];
      const within = SPECIAL.filter((special) => isWider(cidr, special));
      if (within.length === 0) return [];
      const named = within.slice(0, NAMED).map((one) => `${formatCidr(one)}, ${one.what}`);
      const more = within.length - named.length;
      const them = `${named.join("; ")}${more > 0 ? ` and ${more} more` : ""}`;
      return `${path}[${entry}].cidrs[${i}]: ${text} does not reach ${them}: only a CIDR that lies wholly inside such a range does`;
    }),
  );
}

function isWider(cidr: Cidr, special: Cidr): boolean {
  return cidr.prefix < special.prefix && cidrContains(cidr, { ...special, value: special.base });
}
