import { formatAddress } from "./address.ts";
import type { Attempt, Seen } from "./decision.ts";
import type { LedOut } from "./leading-out.ts";
import type { DecisionRecord } from "./record.ts";
import { parseResolver } from "./resolver.ts";

type Told =
  | ("protocol" | "name" | "name_source" | "external_name" | "invalid_name" | "resolved")
  | ("service" | "service_endpoints");

/** What of a record says how the connection was judged. */
export type Recorded = Pick<DecisionRecord, "original_address" | "original_port"> & {
  readonly [Field in Told]?: DecisionRecord[Field] | undefined;
};

/** The name by which it was judged: the one that was given, or what that stood for then. */
export function meantBy({ name, external_name }: Recorded): string | undefined {
  return external_name ?? name;
}

/**
 * The attempt that a record tells of, to be judged again: what the app dialled and said, and our answers of that moment. A
 * name of source `dns` was never said: it is only known to lead there. A Service's is what that stood for, whether or not
 * the policy knows of it.
 */
export function attemptOf(record: Recorded): Attempt {
  const { original_address: address, original_port: port, protocol, resolved } = record;
  const name = meantBy(record);
  const said = record.name_source === "dns" ? undefined : name;
  const seen: Seen | undefined = protocol && {
    protocol,
    ...(said !== undefined && { name: said }),
    ...(record.invalid_name !== undefined && { invalidName: record.invalid_name }),
  };
  return {
    address,
    port,
    ...(seen && { seen }),
    ...ledBy(record),
    answers: {
      addressesOf: (asked) => (asked === name ? resolved : undefined),
      namesOf: (at) => (name !== undefined && resolved?.includes(at) ? [name] : []),
    },
  };
}

/** Where the Service led at that moment, whether or not the policy knows of it. */
function ledBy({ service, service_endpoints = [] }: Recorded): { readonly led?: LedOut } {
  if (service === undefined) return {};
  const endpoints = service_endpoints.flatMap((text) => {
    // They are written as resolvers are.
    const found = parseResolver(text);
    return found ? [{ address: formatAddress(found.address), port: found.port }] : [];
  });
  return { led: { service, endpoints } };
}
