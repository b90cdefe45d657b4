import type { InitConfig } from "./contract.ts";
import { filterChain } from "./filter.ts";
import { natChain } from "./nat.ts";
import type { Family, Ruleset } from "./ruleset.ts";

/** A config as the rules of one family: nat redirects, filter refuses what nat did not take. */
export function rulesFor(config: InitConfig, family: Family): Ruleset {
  const mode = family === 4 ? config.ipv4 : config.ipv6;
  const filter = filterChain(config, family);
  return mode === "redirect" ? { filter, nat: natChain(config, family) } : { filter };
}
