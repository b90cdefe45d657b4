import { targetOf } from "./canonical.ts";
import { FAMILIES } from "./family.ts";
import { Fault } from "./fault.ts";
import { Iptables } from "./iptables.ts";
import { holdsOurs } from "./plan.ts";
import { CHAIN, type Family } from "./ruleset.ts";
import { parseSaved, type Saved } from "./saved.ts";

export type BackendKind = "nft" | "legacy";

/** One way into the kernel's rules, and what it shows there now. */
export interface Backend {
  readonly kind: BackendKind;
  readonly iptables: Iptables;
  readonly saved: Saved;
}

/** The names to ask for; `iptables` alone is one or the other, as its version says. */
const NAMES = ["-nft", "-legacy", ""] as const;

/** The backends that are installed and answer, the one to use first; and what the others said. */
export async function findBackends(
  family: Family,
  env: NodeJS.ProcessEnv,
): Promise<{ backends: Backend[]; faults: Fault[] }> {
  const asked = new Set<BackendKind>();
  const backends: Backend[] = [];
  const faults: Fault[] = [];
  for (const name of NAMES) {
    const iptables = new Iptables(`${FAMILIES[family].command}${name}`, env);
    const version = await iptables.version();
    if (version instanceof Fault) {
      faults.push(version);
      continue;
    }
    const kind = kindOf(version);
    if (asked.has(kind)) continue;
    asked.add(kind);
    const text = await iptables.save();
    if (text instanceof Fault) faults.push(text);
    else backends.push({ kind, iptables, saved: parseSaved(text) });
  }
  return { backends: inOrderOfUse(backends), faults };
}

/** `iptables v1.8.9 (nf_tables)`; before 1.8 there was only what is now called legacy, and nothing in parentheses. */
export function kindOf(version: string): BackendKind {
  return version.includes("nf_tables") ? "nft" : "legacy";
}

/** Where our rules are, there they stay; else where others' are, so that one tool shows all of them; else nft. */
export function inOrderOfUse<B extends Pick<Backend, "kind" | "saved">>(
  backends: readonly B[],
): B[] {
  const weight = ({ kind, saved }: B) =>
    (holdsAnyOfOurs(saved) ? 4 : 0) + (holdsOthers(saved) ? 2 : 0) + (kind === "nft" ? 1 : 0);
  return backends.toSorted((a, b) => weight(b) - weight(a));
}

function holdsAnyOfOurs(saved: Saved): boolean {
  return [...saved.values()].some(holdsOurs);
}

/** A rule or a chain of somebody else's; the kernel's own chains, empty, are nobody's. */
function holdsOthers(saved: Saved): boolean {
  return [...saved.values()].some(
    ({ chains, rules }) =>
      [...chains].some(([chain, policy]) => policy === "-" && chain !== CHAIN) ||
      rules.some(({ chain, spec }) => chain !== CHAIN && targetOf(spec) !== CHAIN),
  );
}
