import type { Backend } from "./backend.ts";
import { Fault } from "./fault.ts";
import { plan } from "./plan.ts";
import { emptiedOutput } from "./restore.ts";
import { NOTHING, type Ruleset, TABLES } from "./ruleset.ts";
import { parseSaved } from "./saved.ts";

/** Makes a backend hold exactly these rules of ours, as it says itself afterwards; whether anything had to change. */
export async function establish({ iptables }: Backend, ruleset: Ruleset): Promise<boolean | Fault> {
  const before = await iptables.save();
  if (before instanceof Fault) return before;
  const step = plan(parseSaved(before), ruleset);
  if (step.kind === "unchanged") return false;
  const restored = await iptables.restore(step.document);
  if (restored instanceof Fault) return restored;
  const after = await iptables.save();
  if (after instanceof Fault) return after;
  if (plan(parseSaved(after), ruleset).kind === "unchanged") return true;
  return new Fault("reading back", "iptables-save shows other rules than were written", "other");
}

/** Takes what is ours out of these backends; whether any of them held something. */
export async function clear(backends: readonly Backend[]): Promise<boolean | Fault> {
  let cleared = false;
  for (const backend of backends) {
    const changed = await establish(backend, NOTHING);
    if (changed instanceof Fault) return changed;
    if (!changed) continue;
    cleared = true;
    if (backend.kind === "nft") await sweep(backend);
  }
  return cleared;
}

/**
 * iptables-nft makes OUTPUT where it is first used. Where nothing is left in it the chain goes too; where others have a
 * rule or a policy there, or where iptables is older than that, it is refused and stays. The empty tables stay: they
 * hook nothing, and only nft(8) could remove them.
 */
async function sweep({ iptables }: Backend): Promise<void> {
  for (const table of TABLES) await iptables.restore(emptiedOutput(table));
}
