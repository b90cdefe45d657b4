import { failed, type Host, type Outcome } from "./apply.ts";
import { findBackends } from "./backend.ts";
import { clear } from "./establish.ts";
import { FAMILIES } from "./family.ts";
import { Fault } from "./fault.ts";
import type { Family } from "./ruleset.ts";

/** Takes every trace of ours out of every backend of both families. */
export async function cleanup(host: Host): Promise<Outcome> {
  const results = [await cleanFamily(4, host), await cleanFamily(6, host)];
  return {
    done: results.filter((result) => typeof result === "string"),
    faults: results.flatMap((result) => (typeof result === "string" ? [] : result.faults)),
  };
}

async function cleanFamily(
  family: Family,
  { env, ipv6IsOff }: Host,
): Promise<string | { readonly faults: string[] }> {
  const { name } = FAMILIES[family];
  const { backends, faults } = await findBackends(family, env);
  const cleared = await clear(backends);
  if (cleared instanceof Fault) return { faults: [failed(family, "not cleaned up", [cleared])] };
  // A backend that this kernel lacks holds nothing; one that does not answer may.
  const unread = faults.filter(({ kind }) =>
    kind === "absent" ? backends.length === 0 : kind !== "kernel",
  );
  if (unread.length > 0 && family === 6 && ipv6IsOff()) return `${name}: off in this kernel`;
  if (unread.length > 0) return { faults: [failed(family, "not cleaned up", unread)] };
  return `${name}: ${cleared ? "removed" : "nothing to remove"}`;
}
