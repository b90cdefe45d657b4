import type { Destination } from "@sallyport/core/rules";

/** How much comparing two lists costs: what is compared with what, each with each. */
export function effortOf(list: readonly Destination[] = [], other: readonly Destination[] = []) {
  return sizeOf(list) * sizeOf(other);
}

function sizeOf(list: readonly Destination[]): number {
  return list.reduce(
    (sum, { hosts, cidrs, ports }) =>
      sum + ((hosts?.length ?? 0) + (cidrs?.length ?? 0)) * ports.length,
    0,
  );
}

/** What may still be spent. */
export interface Budget {
  take(effort: number): boolean;
}

/** The first may cost more than there is: otherwise it would wait for ever. */
export function budgetOf(effort: number): Budget {
  let left = effort;
  return {
    take: (each) => {
      if (each > left && left < effort) return false;
      left -= each;
      return true;
    },
  };
}
