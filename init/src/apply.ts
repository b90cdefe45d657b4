import { type Backend, findBackends } from "./backend.ts";
import type { InitConfig } from "./contract.ts";
import { clear, establish } from "./establish.ts";
import { FAMILIES } from "./family.ts";
import { Fault, inOneLine } from "./fault.ts";
import { plan } from "./plan.ts";
import { rulesFor } from "./rules.ts";
import { countRules, type Family, type Ruleset } from "./ruleset.ts";

/** What was done, a line a family; and what was not. */
export interface Outcome {
  readonly done: readonly string[];
  readonly faults: readonly string[];
}

/** A ruleset, and the backend that is to hold it. */
interface Attempt {
  readonly backend: Backend;
  readonly ruleset: Ruleset;
}

interface Prepared {
  readonly family: Family;
  readonly backends: readonly Backend[];
  /** In order of preference, from the first that the backend says it would take; none where none would. */
  readonly attempts: readonly Attempt[];
  readonly faults: readonly Fault[];
}

export interface Host {
  /** What iptables runs with. */
  readonly env: NodeJS.ProcessEnv;
  readonly ipv6IsOff: () => boolean;
}

/** Both families are prepared before either is touched; what has been applied when the other fails stays. */
export async function apply(config: InitConfig, host: Host): Promise<Outcome> {
  const prepared = await Promise.all([prepare(config, 4, host), prepare(config, 6, host)]);
  const hopeless = prepared.filter(
    ({ family, attempts }) => attempts.length === 0 && !(family === 6 && host.ipv6IsOff()),
  );
  if (hopeless.length > 0)
    return {
      done: [],
      faults: hopeless.map(({ family, faults }) => failed(family, "nothing was changed", faults)),
    };
  const done: string[] = [];
  const faults: string[] = [];
  for (const family of prepared) {
    const result = await carryOut(family, host);
    if (typeof result === "string") done.push(result);
    else faults.push(failed(family.family, "its rules are not complete", result));
  }
  return { done, faults };
}

async function prepare(config: InitConfig, family: Family, { env }: Host): Promise<Prepared> {
  const { backends, faults } = await findBackends(family, env);
  const wanted = [rulesFor(config, family)];
  // IPv6 that cannot be redirected is refused, never leaked.
  if (family === 6 && config.ipv6 === "redirect")
    wanted.push(rulesFor({ ...config, ipv6: "reject" }, family));
  const attempts: Attempt[] = wanted.flatMap((ruleset) =>
    backends.map((backend) => ({ backend, ruleset })),
  );
  for (const [i, { backend, ruleset }] of attempts.entries()) {
    const step = plan(backend.saved, ruleset);
    const tested = step.kind === "unchanged" || (await backend.iptables.test(step.document));
    if (!(tested instanceof Fault))
      return { family, backends, attempts: attempts.slice(i), faults };
    faults.push(tested);
    if (tested.kind === "locked") break;
  }
  return { family, backends, attempts: [], faults };
}

/** The line that says what was done, or the faults for which nothing could be. */
async function carryOut(prepared: Prepared, host: Host): Promise<string | readonly Fault[]> {
  const { family, attempts, backends } = prepared;
  const faults: Fault[] = [...prepared.faults];
  for (const { backend, ruleset } of attempts) {
    const changed = await establish(backend, ruleset);
    if (changed instanceof Fault) {
      faults.push(changed);
      if (changed.kind === "locked") break;
      continue;
    }
    const cleared = await clear(backends.filter((other) => other !== backend));
    if (cleared instanceof Fault) return [cleared];
    return report(family, backend, ruleset, changed || cleared, faults, host);
  }
  if (family === 6 && host.ipv6IsOff()) return "IPv6: off in this kernel, nothing to redirect";
  return faults;
}

function report(
  family: Family,
  { kind }: Backend,
  ruleset: Ruleset,
  changed: boolean,
  faults: readonly Fault[],
  { ipv6IsOff }: Host,
): string {
  const what = !changed ? "unchanged" : ruleset.nat ? "nat and filter applied" : "filter applied";
  const notes = [
    family === 6 && ipv6IsOff() ? "IPv6 is off here at present" : "",
    !ruleset.nat && faults.length > 0
      ? `all of it is rejected, for it cannot be redirected: ${inOneLine(faults)}`
      : "",
  ].filter((note) => note !== "");
  return [
    `${FAMILIES[family].name}: ${what} (${kind}), ${countRules(ruleset)} rules`,
    ...notes,
  ].join("; ");
}

export function failed(family: Family, state: string, faults: readonly Fault[]): string {
  return `${FAMILIES[family].name}: ${state}: ${inOneLine(faults)}`;
}
