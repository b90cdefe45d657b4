import type { Address, Cidr } from "./address.ts";
import type { Ranges } from "./ranges.ts";

/** An address under judgement. */
export interface Target {
  /** As the connection has it. */
  readonly address: Address;
  /** The IPv4 address it stands for (special.ts); otherwise the same. */
  readonly meant: Address;
  /** The prefix length from which on a CIDR reaches it: that of the special range it lies in; 0 where it is public. */
  readonly least: number;
}

/** What stands for a special address is reached by a CIDR of that address alone, one inside its special range. */
export function cidrReaches({ family, prefix }: Cidr, { meant, least }: Target): boolean {
  return least === 0 || (family === meant.family && prefix >= least);
}

/** A denial knows nothing of special ranges. */
export function holds(ranges: Ranges<string>, to: Target): boolean {
  return ranges.longest(to.meant) >= 0 || ranges.longest(to.address) >= 0;
}
