/** What `iptables-save` printed, as data. */
export type Saved = ReadonlyMap<string, SavedTable>;

export interface SavedTable {
  /** Each chain and its policy; `-` where it has none, for it is not the kernel's own. */
  readonly chains: ReadonlyMap<string, string>;
  /** In the order in which packets meet them within each chain. */
  readonly rules: readonly SavedRule[];
}

export interface SavedRule {
  readonly chain: string;
  /** What follows `-A CHAIN`, verbatim: iptables-restore takes it back. */
  readonly spec: string;
}

export function parseSaved(text: string): Saved {
  const tables = new Map<string, { chains: Map<string, string>; rules: SavedRule[] }>();
  let table = { chains: new Map<string, string>(), rules: [] as SavedRule[] };
  for (const line of text.split("\n")) {
    if (line.startsWith("*")) {
      table = { chains: new Map(), rules: [] };
      tables.set(line.slice(1).trim(), table);
    }
    const [, chain, policy] = /^:(\S+) (\S+)/.exec(line) ?? [];
    if (chain !== undefined && policy !== undefined) table.chains.set(chain, policy);
    const rule = /^-A (\S+) ?(.*)$/.exec(line);
    if (rule) table.rules.push({ chain: rule[1] ?? "", spec: rule[2] ?? "" });
  }
  return tables;
}
