/** What init wants of one address family, as data: nothing here knows how iptables is run. */
export type Family = 4 | 6;

export const TABLES = ["filter", "nat"] as const;
export type TableName = (typeof TABLES)[number];

/** The one chain that is ours in each table; whatever else is there belongs to others. */
export const CHAIN = "SALLYPORT_OUTPUT";

export interface Rule {
  /** In the words of iptables-save; empty matches every packet. */
  readonly match: string;
  readonly target: string;
  readonly why: string;
}

/** Our chain in one table, and what of OUTPUT is sent through it. */
export interface OwnChain {
  readonly jump: string;
  readonly rules: readonly Rule[];
}

/** A table that is absent holds nothing of ours; `{}` is the wish for no trace. */
export type Ruleset = { readonly [Table in TableName]?: OwnChain };

export const NOTHING: Ruleset = {};

/** A rule or jump as iptables takes it after `-A CHAIN`. */
export function spec(match: string, target: string): string {
  return match === "" ? `-j ${target}` : `${match} -j ${target}`;
}

export function countRules(ruleset: Ruleset): number {
  return TABLES.reduce((sum, table) => sum + (ruleset[table]?.rules.length ?? 0), 0);
}
