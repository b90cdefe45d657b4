import { canonical, targetOf } from "./canonical.ts";
import { removeChain, replaceChain, restoreDocument } from "./restore.ts";
import { CHAIN, type OwnChain, type Ruleset, spec, TABLES } from "./ruleset.ts";
import type { Saved, SavedRule, SavedTable } from "./saved.ts";

/** What leads from what iptables-save shows to what is wanted. */
export type Plan =
  | { readonly kind: "unchanged" }
  /** For `iptables-restore --noflush`: each table in one step, nothing of others' touched. */
  | { readonly kind: "restore"; readonly document: string };

const EMPTY: SavedTable = { chains: new Map(), rules: [] };

export function plan(saved: Saved, wanted: Ruleset): Plan {
  const steps = TABLES.flatMap((name) => {
    const table = saved.get(name) ?? EMPTY;
    const own = wanted[name];
    if (own ? holdsExactly(table, own) : !holdsOurs(table)) return [];
    const jumps = jumpsToUs(table);
    return [{ table: name, lines: own ? replaceChain(own, jumps) : removeChain(jumps) }];
  });
  if (steps.length === 0) return { kind: "unchanged" };
  return { kind: "restore", document: restoreDocument(steps) };
}

export function holdsOurs(table: SavedTable): boolean {
  return table.chains.has(CHAIN);
}

/** Our chain rule by rule, and one jump to it, before anything of others' in OUTPUT. */
function holdsExactly(table: SavedTable, own: OwnChain): boolean {
  const rules = table.rules.filter(({ chain }) => chain === CHAIN);
  const first = table.rules.find(({ chain }) => chain === "OUTPUT");
  return (
    holdsOurs(table) &&
    jumpsToUs(table).length === 1 &&
    first !== undefined &&
    canonical(first.spec) === canonical(spec(own.jump, CHAIN)) &&
    rules.length === own.rules.length &&
    own.rules.every(
      ({ match, target }, i) => canonical(rules[i]?.spec ?? "") === canonical(spec(match, target)),
    )
  );
}

function jumpsToUs(table: SavedTable): SavedRule[] {
  return table.rules.filter((rule) => rule.chain !== CHAIN && targetOf(rule.spec) === CHAIN);
}
