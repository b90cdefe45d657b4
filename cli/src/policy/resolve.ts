import { Resolver } from "node:dns/promises";
import { canonicalAddress } from "@sallyport/core/address";
import { BadInput } from "./io.ts";

export type Resolve = (name: string) => Promise<readonly string[]>;

/** A resolver's own words for "there is none" (c-ares). */
const NONE: ReadonlySet<string> = new Set(["ENOTFOUND", "ENODATA"]);

/** Asks DNS for A and AAAA: absolute names, no hosts file, as the sidecar does. Without a server, the system's. */
export function resolveBy(server: string | undefined): Resolve {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  if (server !== undefined) resolver.setServers([server]);
  return async (name) => {
    const ask = async (query: Promise<string[]>) => {
      try {
        return await query;
      } catch (error) {
        const { code = "" } = error as NodeJS.ErrnoException;
        if (NONE.has(code)) return [];
        const from = resolver.getServers().join(", ");
        throw new BadInput([
          `${name} could not be resolved: ${code} from ${from}; --resolver ADDRESS asks another, --answer ${name}=ADDRESS says it`,
        ]);
      }
    };
    const found = await Promise.all([ask(resolver.resolve4(name)), ask(resolver.resolve6(name))]);
    return found.flat().map((address) => canonicalAddress(address) ?? address);
  };
}
