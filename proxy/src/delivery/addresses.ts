import { isIP } from "node:net";
import { type Answer, FAILURES, type Reply } from "../resolve/answer.ts";
import { DEFAULTS } from "../resolve/limits.ts";
import { hasGlobalIPv6 } from "../resolve/order.ts";
import { Servers } from "../resolve/servers.ts";
import { codeOf, DeliveryFailure } from "./failure.ts";

export type FindAddresses = (host: string) => Promise<readonly string[]>;

/**
 * Where the controllers are: asked of the configuration's resolvers, then of those that the policy in force names, and of
 * the system's where there are none of the first. Nothing is remembered: who comes back has lost what was there.
 */
export function addressesBy(
  resolvers: readonly string[],
  lookup: (host: string) => Promise<Answer>,
): FindAddresses {
  return async (host) => {
    if (isIP(host)) return [host];
    if (resolvers.length === 0) return systemAddresses(host);
    const servers = new Servers(resolvers, DEFAULTS, hasGlobalIPv6);
    const { addresses, failure } = await askOnce(servers, host);
    servers.close();
    if (addresses.length > 0) return addresses;
    const second = await lookup(host);
    if (second.addresses.length > 0) return second.addresses;
    const why = FAILURES[failure ?? "no_address"];
    throw new DeliveryFailure(`${host} cannot be resolved by ${resolvers.join(", ")}: ${why}`);
  };
}

/** The first reply with an address, or the last. */
function askOnce(servers: Servers, host: string) {
  return new Promise<Reply>((resolve) => servers.ask(host, resolve));
}

async function systemAddresses(host: string): Promise<readonly string[]> {
  const { lookup } = process.getBuiltinModule("node:dns").promises;
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    throw new DeliveryFailure(`${host} cannot be resolved: ${codeOf(error as Error)}`);
  }
}
